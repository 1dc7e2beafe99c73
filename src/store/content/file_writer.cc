#include "store/content/file_writer.h"

#include <algorithm>

#include "base/hex.h"

namespace bothy::content {

FileWriter::FileWriter(const Backing& backing, const ExpectedFile& expected)
    : backing_(backing), expected_(expected), known_(backing) {}

Result<void> FileWriter::Write(std::span<const std::byte> bytes) {
  size_ += bytes.size();
  if (expected_.size && size_ > *expected_.size) {
    return Fail(ErrorCode::kInvalidArgument, "expected {} bytes, found more", *expected_.size);
  }
  if (size_ > backing_.options.max_file_bytes) {
    return Fail(ErrorCode::kResourceExhausted, "a file of more than {} bytes", backing_.options.max_file_bytes);
  }
  sha256_.Update(bytes);
  while (!bytes.empty()) {
    const auto taken = chunker_.Take(bytes);
    window_.insert(window_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(taken.bytes));
    bytes = bytes.subspan(taken.bytes);
    if (!taken.ends_chunk) break;
    const auto chunk = std::span<const std::byte>(window_).subspan(whole_);
    chunks_.push_back({xet::ChunkHash(chunk), static_cast<uint32_t>(chunk.size())});
    whole_ = window_.size();
    if (whole_ >= kWindow) TRY(SettleWindow());
  }
  return {};
}

Result<void> FileWriter::SettleWindow() {
  std::vector<xet::Hash> hashes;
  for (const WindowChunk& chunk : chunks_) hashes.push_back(chunk.hash);
  const auto deduplicates = [&] { return assembly_.segments() < backing_.options.max_segments / 4 * 3; };
  if (deduplicates()) TRY(known_.Prepare(hashes));
  std::span<const std::byte> left(window_);
  for (const WindowChunk& chunk : chunks_) {
    const auto content = left.first(chunk.size);
    left = left.subspan(chunk.size);
    if (const auto place = deduplicates() ? known_.Find(chunk.hash) : std::nullopt) {
      assembly_.Add(place->xorb_id, place->chunk, place->raw_begin, chunk.size, chunk.hash, asked_);
    } else {
      TRY(Store(chunk, content));
    }
  }
  window_.erase(window_.begin(), window_.begin() + static_cast<ptrdiff_t>(whole_));
  whole_ = 0;
  chunks_.clear();
  if (assembly_.segments() > backing_.options.max_segments) {
    return Fail(ErrorCode::kResourceExhausted, "a file of more than {} segments", backing_.options.max_segments);
  }
  return {};
}

Result<void> FileWriter::Store(const WindowChunk& chunk, std::span<const std::byte> content) {
  if (blob_ != nullptr && !xorbs_.back()->chunks.HasRoomFor(chunk.size)) TRY(CloseXorb());
  if (blob_ == nullptr) {
    blob_ = TRY(backing_.blobs.Create());
    auto xorb = std::make_shared<Xorb>();
    xorb->id = -1 - static_cast<int64_t>(xorbs_.size());
    known_.BeginOwn(xorb);
    xorbs_.push_back(std::move(xorb));
  }
  TRY(blob_->Write(content));
  Xorb& xorb = *xorbs_.back();
  const uint32_t index = xorb.chunks.size(), raw_begin = xorb.chunks.raw_bytes();
  known_.Append(chunk.hash, chunk.size);
  assembly_.Add(xorb.id, index, raw_begin, chunk.size, chunk.hash, asked_);
  return {};
}

Result<void> FileWriter::CloseXorb() {
  Xorb& xorb = *xorbs_.back();
  xorb.hash = xorb.chunks.XorbHash();
  // On the disk now, and without a descriptor: a file of 100 GB has 1,600 of them before it is finished.
  TRY(blob_->Close());
  blobs_.push_back({BlobOf(xorb.hash), std::move(blob_)});
  return {};
}

Result<void> FileWriter::CheckExpected(const File& file) const {
  if (expected_.size && file.size != *expected_.size) {
    return Fail(ErrorCode::kInvalidArgument, "expected {} bytes, found {}", *expected_.size, file.size);
  }
  if (expected_.sha256 && file.sha256 != *expected_.sha256) {
    return Fail(ErrorCode::kInvalidArgument, "expected content of SHA-256 {}, found {}", EncodeHex(*expected_.sha256),
                EncodeHex(file.sha256));
  }
  return {};
}

Result<File> FileWriter::Finish() {
  if (chunker_.open_bytes() > 0) {
    const auto chunk = std::span<const std::byte>(window_).subspan(whole_);
    chunks_.push_back({xet::ChunkHash(chunk), static_cast<uint32_t>(chunk.size())});
    whole_ = window_.size();
  }
  TRY(SettleWindow());
  NewFile file = assembly_.Finish();
  file.file.sha256 = sha256_.Finish();
  TRY(CheckExpected(file.file));
  if (blob_ != nullptr) TRY(CloseXorb());
  if (!blobs_.empty()) TRY(backing_.blobs.Commit(std::exchange(blobs_, {})));
  const File result = file.file;
  TRY(Record(std::move(file)));
  return result;
}

Result<void> FileWriter::Record(NewFile file) {
  const Timestamp now = backing_.options.now();
  std::vector<int64_t> ids;  // of xorbs_, as far as they are recorded
  const auto record_up_to = [&](Transaction& t, size_t end) -> Result<std::vector<int64_t>> {
    std::vector<int64_t> all = ids;
    while (all.size() < end) {
      const Xorb& xorb = *xorbs_[all.size()];
      all.push_back(TRY(RecordXorb(t, backing_.blobs, xorb.hash, xorb.chunks, now)));
      if (expected_.uploader) TRY(RecordXorbSender(t, all.back(), *expected_.uploader, now));
    }
    return all;
  };
  while (xorbs_.size() - ids.size() > backing_.options.xorbs_at_once) {
    ids = TRY(backing_.database.Write(
        [&](Transaction& t) { return record_up_to(t, ids.size() + backing_.options.xorbs_at_once); }));
  }
  return backing_.database.Write([&](Transaction& t) -> Result<void> {
    const auto own = TRY(record_up_to(t, xorbs_.size()));
    const auto id_of = [&](int64_t id) { return id < 0 ? own[static_cast<size_t>(-1 - id)] : id; };
    NewFile recorded = file;  // the database may run this again
    std::vector<int64_t> used;
    for (NewSegment& segment : recorded.segments) {
      segment.xorb_id = id_of(segment.xorb_id);
      used.push_back(segment.xorb_id);
    }
    std::ranges::sort(used);
    used.erase(std::unique(used.begin(), used.end()), used.end());
    TRY(TouchXorbs(t, used, now));
    if (!TRY(RecordFile(t, recorded, expected_.uploader, now))) return {};
    std::vector<std::pair<xet::Hash, int64_t>> asked;
    for (const auto& [hash, xorb_id] : asked_) asked.emplace_back(hash, id_of(xorb_id));
    return RecordAskedChunks(t, TRY(RecordGroup(t, used, now)), asked);
  });
}

}  // namespace bothy::content
