#include "codec/xet/xorb_view.h"

#include <algorithm>

#include "base/error.h"

namespace bothy::xet {

std::vector<ViewPiece> XorbView::Pieces(uint32_t begin, uint32_t end) const {
  CHECK(begin <= end && end <= size());
  std::vector<ViewPiece> pieces;
  if (begin == end) return pieces;
  // The last chunk that begins at or before `begin`.
  uint32_t low = 0, high = chunks();
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    (ChunkBegin(middle) <= begin ? low : high) = middle;
  }
  for (uint32_t chunk = low; chunk < chunks() && ChunkBegin(chunk) < end; chunk++) {
    const uint32_t chunk_begin = ChunkBegin(chunk), raw_begin = RawBegin(chunk), raw_end = RawBegin(chunk + 1);
    const uint32_t from = std::max(begin, chunk_begin) - chunk_begin;
    const uint32_t to = std::min(end, ChunkBegin(chunk + 1)) - chunk_begin;
    constexpr auto kHeader = static_cast<uint32_t>(kChunkHeader);
    ViewPiece piece;
    piece.header = ChunkHeader(Scheme::kNone, raw_end - raw_begin, raw_end - raw_begin);
    piece.header_begin = std::min(from, kHeader);
    piece.header_end = std::min(to, kHeader);
    piece.raw_begin = raw_begin + std::max(from, kHeader) - kHeader;
    piece.raw_end = raw_begin + std::max(to, kHeader) - kHeader;
    pieces.push_back(piece);
  }
  return pieces;
}

}  // namespace bothy::xet
