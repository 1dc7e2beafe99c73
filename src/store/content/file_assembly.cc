#include "store/content/file_assembly.h"

#include <algorithm>

#include "store/content/batch.h"

namespace bothy::content {

void FileAssembly::Add(int64_t xorb_id, uint32_t chunk, uint32_t raw_begin, uint32_t size, const xet::Hash& hash,
                       AskedChunks& asked) {
  if (size_ == 0 || xet::IsAskedFor(hash)) asked.insert_or_assign(hash, xorb_id);
  tree_.Add(hash, size);
  size_ += size;
  if (!segments_.empty() && segments_.back().xorb_id == xorb_id && segments_.back().chunk_end == chunk) {
    segments_.back().chunk_end++;
    segments_.back().raw_bytes += size;
  } else {
    segments_.push_back({xorb_id, chunk, chunk + 1, raw_begin, size});
  }
}

NewFile FileAssembly::Finish() {
  NewFile file;
  file.file.hash = xet::FileHash(tree_.Finish());
  file.file.size = std::exchange(size_, 0);
  file.segments = std::exchange(segments_, {});
  return file;
}

namespace {

Result<void> RecordSegments(Transaction& t, int64_t file_id, std::span<const NewSegment> segments) {
  uint64_t offset = 0;
  return InBatchesOrAlone(segments, [&](std::span<const NewSegment> batch) -> Result<void> {
    Statement insert(
        "INSERT INTO content_segments (file_id, file_offset, xorb_id, xorb_offset, raw_bytes, chunk_begin, chunk_end) "
        "VALUES ");
    for (const NewSegment& segment : batch) {
      if (&segment != &batch.front()) insert.Add(", ");
      insert.Add("($1, $2, $3, $4, $5, $6, $7)", file_id, static_cast<int64_t>(offset), segment.xorb_id,
                 segment.raw_begin, segment.raw_bytes, segment.chunk_begin, segment.chunk_end);
      offset += segment.raw_bytes;
    }
    TRY(t.Execute(insert));
    return {};
  });
}

}  // namespace

Result<bool> RecordFile(Transaction& t, const NewFile& file, std::optional<int64_t> uploader, Timestamp now) {
  const File& f = file.file;
  auto id =
      TRY(t.QueryOne<int64_t>("UPDATE content_files SET touched = $1 WHERE hash = $2 RETURNING id", now, f.hash.bytes));
  const bool is_new = !id;
  if (is_new) {
    id = TRY(t.QueryOne<int64_t>(
        "INSERT INTO content_files (hash, sha256, size, touched) VALUES ($1, $2, $3, $4) RETURNING id", f.hash.bytes,
        f.sha256, static_cast<int64_t>(f.size), now));
    TRY(RecordSegments(t, *id, file.segments));
  } else if (TRY(t.QueryOne<bool>("SELECT EXISTS (SELECT 1 FROM content_segments s JOIN content_xorbs x "
                                  "ON x.id = s.xorb_id WHERE s.file_id = $1 AND x.state = 1)",
                                  *id)) == true) {
    TRY(t.Execute("DELETE FROM content_segments WHERE file_id = $1", *id));
    TRY(RecordSegments(t, *id, file.segments));
  }
  if (uploader) {
    TRY(
        t.Execute("INSERT INTO content_file_senders (file_id, uploader, sent) VALUES ($1, $2, $3) "
                  "ON CONFLICT (file_id, uploader) DO UPDATE SET sent = excluded.sent",
                  *id, *uploader, now));
  }
  return is_new;
}

Result<int64_t> RecordGroup(Transaction& t, std::span<const int64_t> xorb_ids, Timestamp now) {
  const auto group = TRY(t.QueryOne<int64_t>("INSERT INTO content_groups (registered) VALUES ($1) RETURNING id", now));
  if (!group) return Fail(ErrorCode::kInternal, "the database gives a group no row");
  for (const int64_t id : xorb_ids) {
    TRY(t.Execute("INSERT INTO content_group_xorbs (group_id, xorb_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", *group,
                  id));
  }
  return *group;
}

Result<void> RecordAskedChunks(Transaction& t, int64_t group, std::span<const std::pair<xet::Hash, int64_t>> chunks) {
  for (const auto& [hash, xorb_id] : chunks) {
    TRY(
        t.Execute("INSERT INTO content_asked_chunks (hash, xorb_id, group_id) VALUES ($1, $2, $3) ON CONFLICT (hash) "
                  "DO UPDATE SET xorb_id = excluded.xorb_id, group_id = excluded.group_id",
                  hash.bytes, xorb_id, group));
  }
  return {};
}

}  // namespace bothy::content
