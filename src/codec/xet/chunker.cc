#include "codec/xet/chunker.h"

#include <algorithm>

#include "codec/xet/gear_table.h"

namespace bothy::xet {
namespace {

// A boundary is where the upper 16 bits of the hash are zero.
constexpr uint64_t kCutBelow = uint64_t{1} << 48;

// A byte is shifted out of the hash after 64 others, so what comes earlier cannot change where the first boundary is.
constexpr size_t kSkip = kMinChunk - 64 - 1;

uint64_t Roll(uint64_t hash, const uint8_t* bytes, size_t count) {
  for (size_t i = 0; i < count; i++) hash = (hash << 1) + kGear[bytes[i]];
  return hash;
}

// Rolls on until a boundary, and returns how many bytes that took; `count` + 1 where there is none among them.
//
// One byte at a time is a chain of two operations a byte. Four at a time, the words of the bytes are added up beside
// the chain, which then is two operations for four bytes; what limits is the number of operations, about five a byte.
size_t FindBoundary(uint64_t& hash, const uint8_t* bytes, size_t count) {
  uint64_t h = hash;
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const uint64_t g0 = kGear[bytes[i]], g1 = kGear[bytes[i + 1]], g2 = kGear[bytes[i + 2]], g3 = kGear[bytes[i + 3]];
    const uint64_t g01 = (g0 << 1) + g1, g012 = (g01 << 1) + g2, g0123 = (g012 << 1) + g3;
    const uint64_t h1 = (h << 1) + g0, h2 = (h << 2) + g01, h3 = (h << 3) + g012, h4 = (h << 4) + g0123;
    if (h1 < kCutBelow || h2 < kCutBelow || h3 < kCutBelow || h4 < kCutBelow) [[unlikely]]
      break;
    h = h4;
  }
  for (; i < count; i++) {
    h = (h << 1) + kGear[bytes[i]];
    if (h < kCutBelow) {
      hash = h;
      return i + 1;
    }
  }
  hash = h;
  return count + 1;
}

}  // namespace

Chunker::Taken Chunker::Take(std::span<const std::byte> input) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(input.data());
  const size_t count = std::min(input.size(), kMaxChunk - size_);
  size_t taken = 0;
  if (size_ < kSkip) taken = std::min(count, kSkip - size_);
  if (size_ + taken < kMinChunk - 1) {
    const size_t unchecked = std::min(count - taken, kMinChunk - 1 - (size_ + taken));
    hash_ = Roll(hash_, bytes + taken, unchecked);
    taken += unchecked;
  }
  const size_t found = FindBoundary(hash_, bytes + taken, count - taken);
  const bool boundary = found <= count - taken;
  taken = boundary ? taken + found : count;
  size_ += taken;
  if (!boundary && size_ < kMaxChunk) return {taken, false};
  size_ = 0;
  hash_ = 0;
  return {taken, true};
}

}  // namespace bothy::xet
