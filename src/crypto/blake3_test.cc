#include "crypto/blake3.h"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <rapidcheck/gtest.h>
#include <bit>
#include <sstream>
#include <string>
#include <vector>

#include "base/hex.h"
#include "base/testing.h"
#include "crypto/blake3_lanes.h"

namespace bothy {
namespace {

// Runs `test` with each of Highway's targets that this machine has, from the widest vectors to the narrowest.
template <class Test>
void OnEveryTarget(Test test) {
  hwy::SetSupportedTargetsForTest(0);
  const int64_t all = hwy::SupportedTargets();
  int targets = 0;
  for (int64_t left = all & HWY_TARGETS; left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    hwy::GetChosenTarget().Update(left & -left);
    SCOPED_TRACE(hwy::TargetName(left & -left));
    test();
    targets++;
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  EXPECT_GT(targets, 0);
}

// As the official test vectors have it.
std::vector<std::byte> Message(size_t size) {
  std::vector<std::byte> message(size);
  for (size_t i = 0; i < size; i++) message[i] = static_cast<std::byte>(i % 251);
  return message;
}

Blake3Key VectorsKey() {
  constexpr std::string_view kText = "whats the Elvish word for friend";
  Blake3Key key;
  std::ranges::copy(std::as_bytes(std::span(kText)), key.begin());
  return key;
}

struct Vector {
  size_t size;
  std::string hash, keyed_hash;
};

std::vector<Vector> ReferenceHashes() {
  std::istringstream lines(ReadTestFile(Golden() / "blake3" / "hashes.tsv"));
  std::vector<Vector> vectors;
  for (Vector v; lines >> v.size >> v.hash >> v.keyed_hash;) vectors.push_back(v);
  EXPECT_GT(vectors.size(), 60u);
  return vectors;
}

TEST(Blake3, OneCallHashesAsTheReferenceDoesOnEveryTarget) {
  const auto vectors = ReferenceHashes();
  OnEveryTarget([&] {
    for (const Vector& v : vectors) {
      const auto message = Message(v.size);
      EXPECT_EQ(EncodeHex(Blake3Hash(message)), v.hash) << v.size;
      EXPECT_EQ(EncodeHex(Blake3KeyedHash(VectorsKey(), message)), v.keyed_hash) << v.size;
    }
  });
}

TEST(Blake3, PiecesOfAnySizeHashAsTheReferenceDoesOnEveryTarget) {
  const auto vectors = ReferenceHashes();
  OnEveryTarget([&] {
    for (const size_t piece : {size_t{1}, size_t{63}, size_t{64}, size_t{1000}, size_t{1024}, size_t{1025},
                               size_t{5000}, size_t{16384}, size_t{48} << 10, size_t{1} << 20}) {
      for (const Vector& v : vectors) {
        if (v.size / piece > 20000) continue;
        const auto message = Message(v.size);
        Blake3 hash(VectorsKey());
        for (size_t i = 0; i < v.size; i += piece) {
          hash.Update(std::span(message).subspan(i, std::min(piece, v.size - i)));
        }
        EXPECT_EQ(EncodeHex(hash.Finish()), v.keyed_hash) << v.size << " in pieces of " << piece;
      }
    }
  });
}

TEST(Blake3, FinishingDoesNotEndAMessage) {
  const auto message = Message(5000);
  Blake3 hash;
  for (const std::byte byte : message) {
    hash.Update({&byte, 1});
    (void)hash.Finish();
  }
  EXPECT_EQ(hash.Finish(), Blake3Hash(message));
}

RC_GTEST_PROP(Blake3, AnyCutsGiveTheSameHash, (const std::vector<uint16_t>& cuts, const std::vector<uint8_t>& seed)) {
  std::vector<std::byte> message;
  Blake3 hash;
  size_t total = 0;
  for (const uint16_t cut : cuts) total += cut;
  for (size_t i = 0; i < total; i++) {
    message.push_back(static_cast<std::byte>(i * 31 + i / 7 + (seed.empty() ? 0 : seed[i % seed.size()])));
  }
  size_t begin = 0;
  for (const uint16_t cut : cuts) {
    hash.Update(std::span(message).subspan(begin, cut));
    begin += cut;
  }
  RC_ASSERT(hash.Finish() == Blake3Hash(message));
}

TEST(Blake3Lanes, EveryLaneCarriesTheCounterIntoItsUpperHalf) {
  using namespace internal::blake3;
  const auto message = Message(40 * kChunk + 100);
  const uint64_t counter = (uint64_t{1} << 32) - 5;
  std::vector<Words> expected;
  for (size_t chunk = 0; chunk * kChunk < message.size(); chunk++) {
    Words value = kInitial;
    const size_t size = std::min(kChunk, message.size() - chunk * kChunk);
    for (size_t offset = 0; offset < size; offset += kBlock) {
      std::array<std::byte, kBlock> block{};
      const size_t block_size = std::min(kBlock, size - offset);
      std::copy_n(message.begin() + static_cast<ptrdiff_t>(chunk * kChunk + offset), block_size, block.begin());
      const uint32_t flags = (offset == 0 ? kChunkStart : 0) | (offset + kBlock >= size ? kChunkEnd : 0);
      value = Compress(value, block.data(), counter + chunk, static_cast<uint32_t>(block_size), flags);
    }
    expected.push_back(value);
  }
  OnEveryTarget([&] {
    std::vector<Words> values(expected.size());
    HashChunks(message, kInitial, counter, 0, values.data());
    EXPECT_EQ(values, expected);
  });
}

}  // namespace
}  // namespace bothy
