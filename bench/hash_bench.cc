// What the hash functions and the chunker reach on one core, in bytes a second.
//
//   hash_bench
//
// Blake3 also on each of Highway's targets. Inputs lie in the first or second cache, as a chunk that has just been
// received does.
#include <fmt/core.h>
#include <hwy/highway.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>
#include <vector>

#include "base/error.h"
#include "codec/xet/chunker.h"
#include "codec/xet/hash.h"
#include "crypto/blake3.h"
#include "crypto/sha.h"

namespace bothy {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The fastest of many runs: other programs of a shared machine only ever make one slower.
void Measure(std::string_view name, size_t bytes, const std::function<void()>& run) {
  double best = 1e9;
  for (const double end = Now() + 0.5; Now() < end;) {
    const double start = Now();
    run();
    best = std::min(best, Now() - start);
  }
  fmt::print("{:40} {:8.2f} GB/s\n", name, static_cast<double>(bytes) / best / 1e9);
}

std::vector<std::byte> RandomBytes(size_t size) {
  std::vector<std::byte> bytes(size);
  std::minstd_rand random(1);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() >> 8);
  return bytes;
}

void MeasureBlake3() {
  const auto bytes = RandomBytes(1 << 20);
  const Blake3Key key = {};
  for (const size_t size : {size_t{1} << 10, size_t{8} << 10, size_t{64} << 10, (size_t{61} << 10) + 300,
                            size_t{128} << 10, size_t{1} << 20}) {
    Measure(fmt::format("blake3 keyed, {} bytes", size), size,
            [&] { (void)Blake3KeyedHash(key, std::span(bytes).first(size)); });
  }
  Measure("blake3 in pieces of 16 KiB", bytes.size(), [&] {
    Blake3 hash(key);
    for (size_t i = 0; i < bytes.size(); i += 16384) hash.Update(std::span(bytes).subspan(i, 16384));
    (void)hash.Finish();
  });
}

void MeasureOthers() {
  const auto bytes = RandomBytes(1 << 20);
  Measure("sha256", bytes.size(), [&] { (void)Sha256::Of(bytes); });
  Measure("sha1", bytes.size(), [&] { (void)Sha1::Of(bytes); });
  size_t chunks = 0;
  const auto chunk_all = [&](bool hash) {
    xet::Chunker chunker;
    const std::byte* begin = bytes.data();
    for (std::span<const std::byte> left = bytes; !left.empty();) {
      const auto taken = chunker.Take(left);
      left = left.subspan(taken.bytes);
      if (!taken.ends_chunk) continue;
      if (hash) (void)xet::ChunkHash({begin, left.data()});
      begin = left.data();
      chunks++;
    }
  };
  Measure("xet chunker", bytes.size(), [&] { chunk_all(false); });
  Measure("xet chunker and chunk hashes", bytes.size(), [&] { chunk_all(true); });
  CHECK(chunks > 0);
}

int Main() {
  for (int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    hwy::GetChosenTarget().Update(left & -left);
    fmt::print("{}\n", hwy::TargetName(left & -left));
    MeasureBlake3();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  MeasureOthers();
  return 0;
}

}  // namespace
}  // namespace bothy

int main() { return bothy::Main(); }
