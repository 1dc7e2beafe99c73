// The chunks of one xorb, as the database keeps them and as everything here looks at them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "codec/xet/xorb_format.h"

namespace bothy::content {

class ChunkList {
 public:
  static constexpr size_t kPackedChunk = 32 + 4;

  // kCorrupt where the bytes are not what Pack makes.
  static Result<ChunkList> Unpack(std::span<const std::byte> packed);
  std::vector<std::byte> Pack() const;

  // A chunk of `size` bytes; the list must have room for it.
  void Add(const xet::Hash& hash, uint32_t size);
  bool HasRoomFor(uint32_t size) const {
    return hashes_.size() < xet::kMaxXorbChunks && size <= xet::kMaxXorbRawBytes - raw_bytes();
  }

  uint32_t size() const { return static_cast<uint32_t>(hashes_.size()); }
  std::span<const xet::Hash> hashes() const { return hashes_; }
  std::span<const uint32_t> raw_ends() const { return raw_ends_; }

  // Where a chunk begins in the raw content; of size(), the end of all.
  uint32_t RawBegin(uint32_t chunk) const { return chunk == 0 ? 0 : raw_ends_[chunk - 1]; }
  uint32_t RawSize(uint32_t chunk) const { return raw_ends_[chunk] - RawBegin(chunk); }
  uint32_t raw_bytes() const { return raw_ends_.empty() ? 0 : raw_ends_.back(); }

  xet::Hash XorbHash() const;

 private:
  std::vector<xet::Hash> hashes_;
  std::vector<uint32_t> raw_ends_;
};

}  // namespace bothy::content
