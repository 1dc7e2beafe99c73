// The segments of recorded files, as rows of the database.
#pragma once

#include <cstdint>
#include <vector>

#include "store/content/xorbs.h"

namespace bothy::content {

struct FileRow {
  int64_t id = 0;
  uint64_t size = 0;
};

struct SegmentRow {
  uint64_t file_offset = 0;
  int64_t xorb_id = 0;
  xet::Hash xorb;
  uint32_t raw_begin = 0, raw_bytes = 0;  // in the xorb
  uint32_t chunk_begin = 0, chunk_end = 0;
};

// kNotFound.
Result<FileRow> FindFileRow(Transaction& t, const xet::Hash& hash);

// Those that have some of bytes [begin, end), in order, at most `limit`. kCorrupt where one of them is damaged, or
// where together they are not a row without gaps.
Result<std::vector<SegmentRow>> SegmentsOf(Transaction& t, int64_t file_id, uint64_t begin, uint64_t end, size_t limit);

}  // namespace bothy::content
