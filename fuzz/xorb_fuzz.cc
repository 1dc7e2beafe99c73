// A xorb, in pieces whose size the first byte says. What is read must be within the limits, and the same when it comes
// in one piece.
#include <algorithm>
#include <cstdint>

#include "codec/xet/xorb_reader.h"

using namespace bothy;

namespace {

Result<std::vector<xet::XorbChunk>> Read(std::span<const std::byte> bytes, size_t piece, bool& finished) {
  xet::XorbReader reader("xorb");
  size_t raw = 0;
  while (!bytes.empty()) {
    auto input = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(input.size());
    while (!input.empty()) {
      if (!TRY(reader.Next(input))) continue;
      raw += reader.content().size();
      CHECK(!reader.content().empty() && reader.content().size() <= xet::kMaxChunk);
      CHECK(reader.hash() == xet::ChunkHash(reader.content()));
      CHECK(reader.chunks().back().raw_end == raw);
    }
  }
  const std::vector<xet::XorbChunk> chunks(reader.chunks().begin(), reader.chunks().end());
  // With the right hash, so that the footer is read as well.
  xet::TreeHasher tree;
  uint32_t begin = 0;
  for (const auto& chunk : chunks) {
    tree.Add(chunk.hash, chunk.raw_end - begin);
    begin = chunk.raw_end;
  }
  finished = reader.Finish(tree.Finish()).has_value();
  return chunks;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  bool whole = false, cut = false;
  const auto at_once = Read(bytes, ~size_t{0}, whole);
  const auto in_pieces = Read(bytes, size_t{1} + data[0], cut);
  CHECK(at_once.has_value() == in_pieces.has_value() && whole == cut);
  CHECK(!at_once || *at_once == *in_pieces);
  return 0;
}
