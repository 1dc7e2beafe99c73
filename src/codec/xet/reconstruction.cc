#include "codec/xet/reconstruction.h"

#include <algorithm>

#include "codec/xet/xorb_view.h"

namespace bothy::xet {
namespace {

// Adds a range to those of its xorb, and joins what touches or overlaps.
void AddRange(std::vector<FetchRange>& ranges, FetchRange range) {
  const auto first = std::ranges::lower_bound(ranges, range.chunk_begin, {}, &FetchRange::chunk_end);
  auto last = first;
  for (; last != ranges.end() && last->chunk_begin <= range.chunk_end; ++last) {
    range.chunk_begin = std::min(range.chunk_begin, last->chunk_begin);
    range.chunk_end = std::max(range.chunk_end, last->chunk_end);
    range.byte_begin = std::min(range.byte_begin, last->byte_begin);
    range.byte_end = std::max(range.byte_end, last->byte_end);
  }
  ranges.insert(ranges.erase(first, last), range);
}

}  // namespace

Result<Reconstruction> Reconstruct(std::span<const Segment> file, uint64_t begin, uint64_t end, const RawEndsOf& ends) {
  Reconstruction plan;
  uint64_t offset = 0;  // of the segment in the file
  for (const Segment& segment : file) {
    const uint64_t segment_begin = offset;
    offset += segment.raw_bytes;
    if (offset <= begin) continue;
    if (segment_begin >= end) break;

    const XorbView view(TRY(ends(segment.xorb)));
    if (segment.chunk_begin >= segment.chunk_end || segment.chunk_end > view.chunks() ||
        view.RawBegin(segment.chunk_end) - view.RawBegin(segment.chunk_begin) != segment.raw_bytes) {
      return Fail(ErrorCode::kInternal, "xorb {}: expected chunks {} to {} to have {} bytes", ToText(segment.xorb),
                  segment.chunk_begin, segment.chunk_end, segment.raw_bytes);
    }
    // Where the range begins and ends in the xorb's raw content, widened to whole chunks.
    const uint32_t base = view.RawBegin(segment.chunk_begin);
    const uint64_t from = base + (std::max(begin, segment_begin) - segment_begin);
    const uint64_t to = base + (std::min(end, offset) - segment_begin);
    Segment part = segment;
    while (view.RawBegin(part.chunk_begin + 1) <= from) part.chunk_begin++;
    while (view.RawBegin(part.chunk_end - 1) >= to) part.chunk_end--;
    part.raw_bytes = view.RawBegin(part.chunk_end) - view.RawBegin(part.chunk_begin);
    if (plan.segments.empty()) plan.offset_into_first = from - view.RawBegin(part.chunk_begin);
    AddRange(plan.fetches[part.xorb],
             {part.chunk_begin, part.chunk_end, view.ChunkBegin(part.chunk_begin), view.ChunkBegin(part.chunk_end)});
    plan.segments.push_back(part);
  }
  if (plan.segments.empty() || begin >= end) {
    return Fail(ErrorCode::kOutOfRange, "a file of {} bytes has no bytes {} to {}", offset, begin, end);
  }
  return plan;
}

}  // namespace bothy::xet
