// How a range of a file is put together from ranges of xorbs: what a server answers to a client that wants it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "base/error.h"
#include "codec/xet/shard.h"

namespace bothy::xet {

// A row of chunks of a xorb, and where they lie in its view as chunks that are not compressed.
struct FetchRange {
  uint32_t chunk_begin = 0, chunk_end = 0;
  uint32_t byte_begin = 0, byte_end = 0;
  bool operator==(const FetchRange&) const = default;
};

struct Reconstruction {
  // Bytes of the first segment that come before the range that was asked for.
  uint64_t offset_into_first = 0;
  std::vector<Segment> segments;  // cut to whole chunks that hold the range
  // Of every xorb of the segments, in order and apart from each other; each segment lies in one of them.
  std::map<Hash, std::vector<FetchRange>> fetches;
};

// The ends of a xorb's chunks in its raw content. Called once for each segment that is needed; the span has to be good
// until the next call.
using RawEndsOf = std::function<Result<std::span<const uint32_t>>(const Hash& xorb)>;

// Bytes [begin, min(end, size)) of a file of these segments. kOutOfRange where the range is empty or begins after the
// end of the file (which HTTP says as 416, by which clients find the end); kInternal where a segment is not what its
// xorb has.
Result<Reconstruction> Reconstruct(std::span<const Segment> file, uint64_t begin, uint64_t end, const RawEndsOf& ends);

}  // namespace bothy::xet
