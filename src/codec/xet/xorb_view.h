// The view of raw chunks as a xorb that is not compressed: what a client downloads of content that lies unpacked. Only
// the headers are made; what lies between them is sent from where it is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codec/xet/xorb_format.h"

namespace bothy::xet {

// A header, or a part of one, and what follows it.
struct ViewPiece {
  std::array<std::byte, kChunkHeader> header{};
  uint32_t header_begin = 0, header_end = 0;  // which bytes of it belong to the piece
  uint32_t raw_begin = 0, raw_end = 0;        // then these of the raw content
  std::span<const std::byte> header_bytes() const {
    return std::span(header).subspan(header_begin, header_end - header_begin);
  }
};

// Of chunks by the ends of each in the raw content, ascending and at most kMaxChunk apart.
class XorbView {
 public:
  explicit XorbView(std::span<const uint32_t> raw_ends) : raw_ends_(raw_ends) {}

  uint32_t chunks() const { return static_cast<uint32_t>(raw_ends_.size()); }
  uint32_t size() const { return ChunkBegin(chunks()); }

  // Where the raw content and the view have the beginning of a chunk; of chunks(), the end of all.
  uint32_t RawBegin(uint32_t chunk) const { return chunk == 0 ? 0 : raw_ends_[chunk - 1]; }
  uint32_t ChunkBegin(uint32_t chunk) const { return RawBegin(chunk) + chunk * static_cast<uint32_t>(kChunkHeader); }

  // The bytes [begin, end) of the view, which must have them.
  std::vector<ViewPiece> Pieces(uint32_t begin, uint32_t end) const;

 private:
  std::span<const uint32_t> raw_ends_;
};

}  // namespace bothy::xet
