#include "store/content/segments.h"

namespace bothy::content {

Result<FileRow> FindFileRow(Transaction& t, const xet::Hash& hash) {
  const auto row =
      TRY((t.QueryOne<int64_t, int64_t>("SELECT id, size FROM content_files WHERE hash = $1", hash.bytes)));
  if (!row) return Fail(ErrorCode::kNotFound, "no file has the hash {}", xet::ToText(hash));
  return FileRow{std::get<0>(*row), static_cast<uint64_t>(std::get<1>(*row))};
}

Result<std::vector<SegmentRow>> SegmentsOf(Transaction& t, int64_t file_id, uint64_t begin, uint64_t end,
                                           size_t limit) {
  // No segment is longer than a xorb, so none that begins before this one's place reaches the range.
  const auto first = static_cast<int64_t>(begin) - xet::kMaxXorbRawBytes;
  const auto rows = TRY((t.Query<int64_t, int64_t, Bytes, int64_t, int64_t, int64_t, int64_t, int64_t>(
      "SELECT s.file_offset, s.xorb_id, x.hash, x.state, s.xorb_offset, s.raw_bytes, s.chunk_begin, s.chunk_end "
      "FROM content_segments s JOIN content_xorbs x ON x.id = s.xorb_id WHERE s.file_id = $1 AND s.file_offset > $2 "
      "AND s.file_offset < $3 AND s.file_offset + s.raw_bytes > $4 ORDER BY s.file_offset LIMIT $5",
      file_id, first, static_cast<int64_t>(end), static_cast<int64_t>(begin), static_cast<int64_t>(limit))));
  std::vector<SegmentRow> segments;
  segments.reserve(rows.size());
  for (const auto& [offset, xorb_id, hash, state, raw_begin, raw_bytes, chunk_begin, chunk_end] : rows) {
    const SegmentRow segment{static_cast<uint64_t>(offset),
                             xorb_id,
                             TRY(HashOf(hash)),
                             static_cast<uint32_t>(raw_begin),
                             static_cast<uint32_t>(raw_bytes),
                             static_cast<uint32_t>(chunk_begin),
                             static_cast<uint32_t>(chunk_end)};
    if (state != static_cast<int64_t>(XorbState::kWhole)) {
      return Fail(ErrorCode::kCorrupt, "xorb {} is damaged: its content has to be uploaded again",
                  xet::ToText(segment.xorb));
    }
    const uint64_t expected =
        segments.empty() ? segment.file_offset : segments.back().file_offset + segments.back().raw_bytes;
    if (segment.file_offset != expected || (segments.empty() && segment.file_offset > begin)) {
      return Fail(ErrorCode::kCorrupt, "file {} of the database: no segment has its byte {}", file_id,
                  std::max(begin, expected));
    }
    segments.push_back(segment);
  }
  const uint64_t reached = segments.empty() ? begin : segments.back().file_offset + segments.back().raw_bytes;
  if (reached < end && segments.size() < limit) {
    return Fail(ErrorCode::kCorrupt, "file {} of the database: no segment has its byte {}", file_id, reached);
  }
  return segments;
}

}  // namespace bothy::content
