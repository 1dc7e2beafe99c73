// What a xorb is made of (hub-docs, xet/xorb.md 1.1.0): chunks of different files one after the other, each after a
// header of 8 bytes, and perhaps a footer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/xet/chunker.h"
#include "codec/xet/hash.h"

namespace bothy::xet {

// Of what the chunks unpack to, and of chunks.
inline constexpr uint32_t kMaxXorbRawBytes = 64 << 20, kMaxXorbChunks = 8192;

// The reference server takes chunks that grew when they were packed, up to twice the limit of a raw one.
inline constexpr uint32_t kMaxStoredChunk = 2 * kMaxChunk;

// So much room for a xorb whose chunks do not pack; nobody sends one that packing made larger.
inline constexpr size_t kChunkHeader = 8;
inline constexpr uint32_t kMaxXorbStoredBytes = kMaxXorbRawBytes + kMaxXorbChunks * kChunkHeader;

inline constexpr size_t kXorbFooterFixed = 8 + 32 + 12 + 12 + 12 + 16;  // without what there is for each chunk
inline constexpr size_t kMaxXorbFooter = kXorbFooterFixed + size_t{kMaxXorbChunks} * (32 + 4 + 4) + 4;

enum class Scheme : uint8_t {
  kNone = 0,
  kLz4 = 1,               // an LZ4 frame
  kByteGrouping4Lz4 = 2,  // first the bytes 0, 4, 8, ..., then 1, 5, 9, ... and so on, as an LZ4 frame
};

struct XorbChunk {
  Hash hash;
  uint32_t raw_end = 0;     // offset of its end in what all chunks unpack to
  uint32_t stored_end = 0;  // offset of its end in the xorb
  bool operator==(const XorbChunk&) const = default;
};

struct Xorb {
  Hash hash;
  std::vector<XorbChunk> chunks;
  bool operator==(const Xorb&) const = default;
};

std::array<std::byte, kChunkHeader> ChunkHeader(Scheme scheme, uint32_t stored_size, uint32_t raw_size);

}  // namespace bothy::xet
