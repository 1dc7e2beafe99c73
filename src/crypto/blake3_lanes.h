// The parts of BLAKE3 that are the same for hashing one chunk and many side by side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace bothy::internal::blake3 {

inline constexpr size_t kBlock = 64, kChunk = 1024, kBlocks = kChunk / kBlock;
inline constexpr uint32_t kChunkStart = 1, kChunkEnd = 2, kParent = 4, kRoot = 8, kKeyedHash = 16;
inline constexpr std::array<uint32_t, 8> kInitial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

using Words = std::array<uint32_t, 8>;

// Round r takes the words of a block in the order kSchedule[r]: the permutation applied r times.
inline constexpr std::array<std::array<uint8_t, 16>, 7> kSchedule = [] {
  constexpr std::array<uint8_t, 16> kPermutation = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};
  std::array<std::array<uint8_t, 16>, 7> schedule{};
  for (uint8_t i = 0; i < 16; i++) schedule[0][i] = i;
  for (size_t r = 1; r < 7; r++) {
    for (size_t i = 0; i < 16; i++) schedule[r][i] = schedule[r - 1][kPermutation[i]];
  }
  return schedule;
}();

// One compression of one block, without vectors: the reference of the lanes. `size` is of the bytes in `block` that
// count; the others must be zero.
Words Compress(const Words& value, const std::byte* block, uint64_t counter, uint32_t size, uint32_t flags);

// The chaining values of the chunks of `bytes`, of which only the last may be shorter than kChunk; the first is chunk
// number `counter` of the message. Not for a message of one chunk, whose last block has another flag.
void HashChunks(std::span<const std::byte> bytes, const Words& key, uint64_t counter, uint32_t flags, Words* out);

// out[i] = the parent of children[2 i] and children[2 i + 1]. `out` may be `children`.
void HashParents(const Words* children, size_t parents, const Words& key, uint32_t flags, Words* out);

}  // namespace bothy::internal::blake3
