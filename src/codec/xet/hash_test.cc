#include "codec/xet/hash.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <deque>
#include <string>
#include <vector>

#include "codec/xet/chunker.h"
#include "codec/xet/golden_content.h"

namespace bothy::xet {
namespace {

std::vector<size_t> ChunkLengths(std::string_view content, size_t piece) {
  std::vector<size_t> lengths;
  Chunker chunker;
  size_t open = 0;
  auto left = std::as_bytes(std::span(content));
  while (!left.empty()) {
    const auto taken = chunker.Take(left.first(std::min(piece, left.size())));
    open += taken.bytes;
    left = left.subspan(taken.bytes);
    EXPECT_EQ(chunker.open_bytes(), taken.ends_chunk ? 0 : open);
    if (taken.ends_chunk) lengths.push_back(std::exchange(open, 0));
  }
  if (open > 0) lengths.push_back(open);
  return lengths;
}

// All that golden.json says of one content.
void ExpectGolden(std::string_view name, const json::object& expected, std::string_view content) {
  SCOPED_TRACE(name);
  ASSERT_EQ(expected.at("size").to_number<size_t>(), content.size());
  std::vector<size_t> expected_lengths;
  for (const auto& length : expected.at("chunk_lengths").as_array()) {
    expected_lengths.push_back(length.to_number<size_t>());
  }
  ASSERT_EQ(ChunkLengths(content, content.size()), expected_lengths);
  ASSERT_EQ(ChunkLengths(content, 4096), expected_lengths);
  TreeHasher tree;
  std::vector<Hash> hashes;
  size_t offset = 0;
  for (const size_t length : expected_lengths) {
    hashes.push_back(ChunkHash(std::as_bytes(std::span(content)).subspan(offset, length)));
    EXPECT_EQ(ToText(hashes.back()), expected.at("chunk_hashes").as_array()[hashes.size() - 1].as_string());
    tree.Add(hashes.back(), length);
    offset += length;
  }
  const Hash root = tree.Finish();
  EXPECT_EQ(ToText(root), expected.at("xorb_hash").as_string());
  EXPECT_EQ(ToText(FileHash(root)), expected.at("file_hash").as_string());
  EXPECT_EQ(ToText(RangeHash(hashes)), expected.at("range_hash_all").as_string());
}

TEST(XetHash, BoundariesAndHashesAreThoseOfHfXet) {
  const auto golden = GoldenJson("golden.json");
  int cases = 0;
  for (const auto& [name, expected] : golden.at("cases").as_object()) {
    const auto content = ContentOf(name, expected.at("size").to_number<size_t>());
    if (!content) continue;
    ExpectGolden(name, expected.as_object(), *content);
    cases++;
  }
  EXPECT_EQ(cases, 13);
}

TEST(XetHash, BoundariesAndHashesOfRealFilesAreThoseOfHfXet) {
  BOTHY_NEEDS_TEST_DATA();
  const auto golden = GoldenJson("golden.json");
  int cases = 0;
  for (const auto& [name, expected] : golden.at("cases").as_object()) {
    if (!name.starts_with("file:")) continue;
    ExpectGolden(name, expected.as_object(), ReadTestFile(*TestData() / std::string(name.substr(5))));
    cases++;
  }
  EXPECT_EQ(cases, 4);
}

TEST(XetHash, ItsTextHasTheBytesOfEveryEightInReverse) {
  Hash hash;
  for (size_t i = 0; i < 32; i++) hash.bytes[i] = static_cast<std::byte>(i);
  const std::string text = "07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918";
  EXPECT_EQ(ToText(hash), text);
  EXPECT_EQ(FromText(text), hash);
  EXPECT_EQ(Sha256FromShard(Sha256ForShard(hash.bytes)), hash.bytes);
  for (const std::string& wrong : {text.substr(1), text + "0", std::string(64, 'g'), std::string()}) {
    EXPECT_FALSE(FromText(wrong));
  }
}

TEST(XetHash, WhatIsEmptyHasNoHash) {
  EXPECT_EQ(TreeHasher().Finish(), Hash{});
  EXPECT_EQ(FileHash(Hash{}), Hash{});
}

TEST(XetHash, OneChunkIsItsOwnRootAndATreeHasherBeginsAnew) {
  const Hash chunk = ChunkHash(std::as_bytes(std::span("chunk")));
  TreeHasher tree;
  for (int i = 0; i < 3; i++) {
    tree.Add(chunk, 5);
    EXPECT_EQ(tree.Finish(), chunk);
  }
}

TEST(XetHash, AKeyChangesChunkHashesAndZerosDoNot) {
  const Hash chunk = ChunkHash(std::as_bytes(std::span("chunk")));
  Hash key;
  EXPECT_EQ(KeyedChunkHash(key, chunk), chunk);
  key.bytes[0] = std::byte{1};
  EXPECT_EQ(KeyedChunkHash(key, chunk).bytes, Blake3KeyedHash(key.bytes, chunk.bytes));
}

// The rule as it is written: level by level over the whole list.
Hash RootOfWholeLevels(std::vector<std::pair<Hash, uint64_t>> level) {
  if (level.empty()) return {};
  while (level.size() > 1) {
    std::vector<std::pair<Hash, uint64_t>> above;
    for (size_t i = 0; i < level.size();) {
      const size_t left = level.size() - i;
      size_t take = std::min<size_t>(9, left);
      for (size_t j = 2; left > 2 && j + 1 < take; j++) {
        if (level[i + j].first.Word(3) % 4 == 0) {
          take = j + 1;
          break;
        }
      }
      // A group is told apart by what TreeHasher makes of it alone, which golden.json checks: up to three nodes are one
      // group, and longer ones end where no node but the last says so.
      TreeHasher one;
      uint64_t size = 0;
      for (size_t j = i; j < i + take; j++) size += level[j].second;
      if (take == 1) {
        const std::string text = fmt::format("{} : {}\n", ToText(level[i].first), size);
        constexpr std::array<uint8_t, 32> kNode = {1,   126, 197, 199, 165, 71,  41,  150, 253, 148, 102,
                                                   102, 180, 138, 2,   230, 93,  221, 83,  111, 55,  199,
                                                   109, 210, 248, 99,  82,  230, 74,  83,  113, 63};
        above.push_back({{Blake3KeyedHash(std::bit_cast<Blake3Key>(kNode), std::as_bytes(std::span(text)))}, size});
      } else {
        for (size_t j = i; j < i + take; j++) one.Add(level[j].first, level[j].second);
        above.push_back({one.Finish(), size});
      }
      i += take;
    }
    level = above;
  }
  return level[0].first;
}

RC_GTEST_PROP(XetHash, ATreeThatGrowsIsTheTreeOfTheWholeList, (const std::vector<uint8_t>& seed)) {
  // Few hashes, many of which end a group.
  std::vector<std::pair<Hash, uint64_t>> leaves;
  TreeHasher tree;
  const size_t count = *rc::gen::inRange<size_t>(0, 700);
  for (size_t i = 0; i < count; i++) {
    const uint8_t value = seed.empty() ? 1 : static_cast<uint8_t>(seed[i % seed.size()] + i / seed.size());
    Hash hash = ChunkHash(std::as_bytes(std::span(&value, 1)));
    if (value % 3 == 0) hash.bytes[24] &= std::byte{0xfc};
    leaves.push_back({hash, value});
    tree.Add(hash, value);
  }
  RC_ASSERT(tree.Finish() == RootOfWholeLevels(leaves));
}

RC_GTEST_PROP(XetChunker, BoundariesDoNotDependOnTheFeeding, (const std::vector<uint16_t>& pieces)) {
  RC_PRE(!pieces.empty());
  static const std::string content = PseudoRandom("feeding", 700'000);
  static const auto expected = ChunkLengths(content, content.size());
  std::vector<size_t> lengths;
  Chunker chunker;
  size_t open = 0, i = 0;
  for (auto left = std::as_bytes(std::span(content)); !left.empty(); i++) {
    const auto taken = chunker.Take(left.first(std::min<size_t>(pieces[i % pieces.size()] + i % 2, left.size())));
    open += taken.bytes;
    left = left.subspan(taken.bytes);
    if (taken.ends_chunk) lengths.push_back(std::exchange(open, 0));
  }
  if (open > 0) lengths.push_back(open);
  RC_ASSERT(lengths == expected);
}

TEST(XetChunker, SingleBytesGiveTheSameBoundaries) {
  const std::string content = PseudoRandom("single", 300'000);
  EXPECT_EQ(ChunkLengths(content, 1), ChunkLengths(content, content.size()));
}

}  // namespace
}  // namespace bothy::xet
