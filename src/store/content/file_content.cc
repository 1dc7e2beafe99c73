// How content goes out: by ranges of blobs, as a source, and as Xet's clients fetch it.
#include <algorithm>
#include <mutex>

#include "store/content/content_store.h"
#include "store/content/lru_cache.h"
#include "store/content/segments.h"

namespace bothy::content {
namespace {

Result<void> CheckRange(std::string_view what, uint64_t size, uint64_t begin, uint64_t end) {
  if (begin <= end && end <= size) return {};
  return Fail(ErrorCode::kOutOfRange, "{} of {} bytes has no bytes {} to {}", what, size, begin, end);
}

// The segments of a file in little room: 16 bytes each.
class SegmentsSource final : public ByteSource {
 public:
  SegmentsSource(std::string name, uint64_t size, const BlobStore& blobs, const std::vector<SegmentRow>& segments)
      : ByteSource(std::move(name), size), blobs_(blobs) {
    std::unordered_map<int64_t, uint32_t> indexes;
    for (const SegmentRow& segment : segments) {
      const auto [index, is_new] = indexes.try_emplace(segment.xorb_id, static_cast<uint32_t>(xorbs_.size()));
      if (is_new) xorbs_.push_back(segment.xorb);
      segments_.push_back({segment.file_offset, index->second, segment.raw_begin});
    }
  }

 private:
  static constexpr size_t kMaxOpen = 32;  // blobs

  struct Segment {
    uint64_t offset = 0;
    uint32_t xorb = 0;  // of xorbs_
    uint32_t raw_begin = 0;
  };

  Result<void> ReadRange(uint64_t offset, std::span<std::byte> out) const override {
    auto segment = std::ranges::upper_bound(segments_, offset, {}, &Segment::offset);
    while (!out.empty()) {
      const uint64_t end = segment == segments_.end() ? size() : segment->offset;
      const Segment& at = *(segment - 1);
      const auto piece = out.first(static_cast<size_t>(std::min<uint64_t>(out.size(), end - offset)));
      TRY(TRY(OpenBlob(at.xorb))->Read(at.raw_begin + (offset - at.offset), piece));
      offset += piece.size();
      out = out.subspan(piece.size());
      ++segment;
    }
    return {};
  }

  Result<std::shared_ptr<ByteSource>> OpenBlob(uint32_t xorb) const {
    {
      const std::lock_guard lock(mutex_);
      if (const auto* open = open_.Find(xorb)) return *open;
    }
    std::shared_ptr<ByteSource> source = TRY(blobs_.Open(BlobOf(xorbs_[xorb])));
    const std::lock_guard lock(mutex_);
    return open_.Put(xorb, std::move(source));
  }

  const BlobStore& blobs_;
  std::vector<Segment> segments_;
  std::vector<xet::Hash> xorbs_;
  mutable std::mutex mutex_;
  mutable LruCache<uint32_t, std::shared_ptr<ByteSource>> open_{kMaxOpen};
};

}  // namespace

Result<std::vector<BlobRange>> ContentStore::Ranges(const xet::Hash& file, uint64_t begin, uint64_t end) const {
  const auto segments = TRY(backing_.database.Read([&](Transaction& t) -> Result<std::vector<SegmentRow>> {
    const FileRow row = TRY(FindFileRow(t, file));
    TRY(CheckRange("a file", row.size, begin, end));
    if (begin == end) return std::vector<SegmentRow>();
    return SegmentsOf(t, row.id, begin, end, kMaxRanges);
  }));
  std::vector<BlobRange> ranges;
  for (const SegmentRow& segment : segments) {
    const uint64_t from = std::max(begin, segment.file_offset);
    const uint64_t to = std::min(end, segment.file_offset + segment.raw_bytes);
    ranges.push_back({BlobOf(segment.xorb), segment.raw_begin + (from - segment.file_offset), to - from});
  }
  return ranges;
}

Result<std::unique_ptr<ByteSource>> ContentStore::Open(const xet::Hash& file, std::string name) const {
  return backing_.database.Read([&](Transaction& t) -> Result<std::unique_ptr<ByteSource>> {
    const FileRow row = TRY(FindFileRow(t, file));
    const auto segments = row.size == 0 ? std::vector<SegmentRow>()
                                        : TRY(SegmentsOf(t, row.id, 0, row.size, backing_.options.max_segments));
    return std::make_unique<SegmentsSource>(name, row.size, backing_.blobs, segments);
  });
}

Result<xet::Reconstruction> ContentStore::Reconstruct(const xet::Hash& file, uint64_t begin, uint64_t end) const {
  const auto segments = TRY(backing_.database.Read([&](Transaction& t) -> Result<std::vector<SegmentRow>> {
    const FileRow row = TRY(FindFileRow(t, file));
    end = std::min(end, row.size);
    if (begin >= end) {
      return Fail(ErrorCode::kOutOfRange, "a file of {} bytes has no bytes from {} on", row.size, begin);
    }
    return SegmentsOf(t, row.id, begin, end, backing_.options.max_segments);
  }));
  std::vector<xet::Segment> rows;
  std::unordered_map<xet::Hash, int64_t, xet::HashOfHash> ids;
  for (const SegmentRow& segment : segments) {
    rows.push_back({segment.xorb, 0, segment.raw_bytes, segment.chunk_begin, segment.chunk_end});
    ids.emplace(segment.xorb, segment.xorb_id);
  }
  LruCache<xet::Hash, std::shared_ptr<const Xorb>, xet::HashOfHash> loaded(16);
  const auto raw_ends_of = [&](const xet::Hash& hash) -> Result<std::span<const uint32_t>> {
    if (const auto* xorb = loaded.Find(hash)) return (*xorb)->chunks.raw_ends();
    auto xorb = TRY(LoadXorb(backing_, ids.at(hash)));
    if (xorb == nullptr) return Fail(ErrorCode::kCorrupt, "xorb {} is damaged", xet::ToText(hash));
    return loaded.Put(hash, std::move(xorb))->chunks.raw_ends();
  };
  const uint64_t offset = segments.front().file_offset;
  return xet::Reconstruct(rows, begin - offset, end - offset, raw_ends_of);
}

Result<std::optional<XorbInfo>> ContentStore::FindXorb(const xet::Hash& hash) const {
  return backing_.database.Read([&](Transaction& t) -> Result<std::optional<XorbInfo>> {
    const auto row = TRY((t.QueryOne<int64_t, int64_t>(
        "SELECT x.raw_bytes, length(c.chunks) FROM content_xorbs x JOIN content_chunk_lists c ON c.xorb_id = x.id "
        "WHERE x.hash = $1 AND x.state = 0",
        hash.bytes)));
    if (!row) return std::nullopt;
    const auto [raw_bytes, packed] = *row;
    const auto chunks = packed / static_cast<int64_t>(ChunkList::kPackedChunk);
    return XorbInfo{hash, static_cast<uint32_t>(raw_bytes),
                    static_cast<uint32_t>(raw_bytes + chunks * static_cast<int64_t>(xet::kChunkHeader))};
  });
}

Result<XorbPart> ContentStore::XorbBytes(const xet::Hash& xorb, uint64_t begin, uint64_t end) const {
  const auto row = TRY(backing_.database.Read([&](Transaction& t) { return FindXorbRow(t, xorb); }));
  if (!row || row->state == XorbState::kRemoved) {
    return Fail(ErrorCode::kNotFound, "no xorb has the hash {}", xet::ToText(xorb));
  }
  const auto loaded = TRY(LoadXorb(backing_, row->id));
  if (loaded == nullptr) return Fail(ErrorCode::kCorrupt, "xorb {} is damaged", xet::ToText(xorb));
  const xet::XorbView view(loaded->chunks.raw_ends());
  TRY(CheckRange("a xorb", view.size(), begin, end));
  return XorbPart{BlobOf(xorb), view.Pieces(static_cast<uint32_t>(begin), static_cast<uint32_t>(end))};
}

}  // namespace bothy::content
