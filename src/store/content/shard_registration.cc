// Checks a client's shard against what is stored, and records its files.
#include "store/content/shard_registration.h"

#include <set>

#include "base/hex.h"
#include "codec/xet/shard.h"
#include "store/content/content_store.h"
#include "store/content/lru_cache.h"
#include "store/content/xorbs.h"

namespace bothy::content {
namespace {

// Recorded in one transaction, which nobody else can write beside: some 10 ms.
constexpr size_t kFilesAtOnce = 256, kSegmentsAtOnce = 16384, kAskedAtOnce = 1024;

constexpr size_t kMaxLoaded = 64;  // chunk lists: 2.5 MB, or 19 MB where all of their chunks are small

class Registration {
 public:
  Registration(const Backing& backing, HashAhead& ahead, int64_t uploader, const ShardProgress& progress)
      : backing_(backing), ahead_(ahead), uploader_(uploader), progress_(progress), blobs_(backing.blobs) {}

  Result<ShardOutcome> Run(const xet::Shard& shard) {
    if (shard.footer && shard.footer->key != xet::Hash{}) {
      return Fail(ErrorCode::kInvalidArgument, "a shard to register has chunk hashes without a key");
    }
    for (const xet::ShardXorb& xorb : shard.xorbs) {
      TRY_CONTEXT(fmt::format("xorb {}", xet::ToText(xorb.hash)), CheckXorb(xorb));
    }
    for (const xet::ShardFile& file : shard.files) {
      for (const xet::Segment& segment : file.segments) total_ += segment.raw_bytes;
    }
    for (const xet::ShardFile& file : shard.files) {
      TRY_CONTEXT(fmt::format("file {}", xet::ToText(file.hash)), CheckFile(file));
      if (checked_.size() >= kFilesAtOnce || checked_segments_ >= kSegmentsAtOnce) TRY(RecordChecked());
    }
    TRY(RecordChecked());
    if (outcome_.new_files > 0) TRY(RecordTogether());
    ahead_.BeginNext(uploader_);
    return outcome_;
  }

 private:
  struct KnownXorb {
    std::shared_ptr<const Xorb> xorb;
    bool sent = false;  // by the uploader
  };

  Result<KnownXorb> Find(const xet::Hash& hash) {
    if (const KnownXorb* known = known_.Find(hash)) return *known;
    const auto row = TRY(backing_.database.Read([&](Transaction& t) {
      return t.QueryOne<int64_t, bool>(
          "SELECT x.id, EXISTS (SELECT 1 FROM content_xorb_senders s WHERE s.xorb_id = x.id AND s.uploader = $1) "
          "FROM content_xorbs x WHERE x.hash = $2 AND x.state = 0",
          uploader_, hash.bytes);
    }));
    KnownXorb known;
    if (row) known = {TRY(LoadXorbToUse(backing_, std::get<0>(*row))), std::get<1>(*row)};
    if (known.xorb == nullptr) {
      return Fail(ErrorCode::kFailedPrecondition, "xorb {} is not stored here (any more); it has to be uploaded first",
                  xet::ToText(hash));
    }
    return known_.Put(hash, std::move(known));
  }

  // What the client says about the chunks of a xorb is compared, never believed.
  Result<void> CheckXorb(const xet::ShardXorb& said) {
    const KnownXorb known = TRY(Find(said.hash));
    const ChunkList& chunks = known.xorb->chunks;
    if (said.chunks.size() != chunks.size() || said.raw_bytes != chunks.raw_bytes()) {
      return Fail(ErrorCode::kInvalidArgument, "expected {} chunks of {} bytes together, found {} of {}", chunks.size(),
                  chunks.raw_bytes(), said.chunks.size(), said.raw_bytes);
    }
    for (uint32_t i = 0; i < chunks.size(); i++) {
      const xet::ShardChunk& chunk = said.chunks[i];
      if (chunk.hash != chunks.hashes()[i] || chunk.raw_begin != chunks.RawBegin(i) ||
          chunk.raw_bytes != chunks.RawSize(i)) {
        return Fail(ErrorCode::kInvalidArgument,
                    "chunk {}: expected {} with bytes {} to {}, found {} with {} bytes from {}", i,
                    xet::ToText(chunks.hashes()[i]), chunks.RawBegin(i), chunks.raw_ends()[i], xet::ToText(chunk.hash),
                    chunk.raw_bytes, chunk.raw_begin);
      }
    }
    xorb_ids_.insert(known.xorb->id);
    return {};
  }

  Result<void> CheckFile(const xet::ShardFile& said) {
    if (said.segments.size() > backing_.options.max_segments) {
      return Fail(ErrorCode::kResourceExhausted, "expected at most {} segments, found {}",
                  backing_.options.max_segments, said.segments.size());
    }
    uint64_t size = 0;
    for (const xet::Segment& segment : said.segments) size += segment.raw_bytes;
    if (size > backing_.options.max_file_bytes) {
      return Fail(ErrorCode::kResourceExhausted, "expected at most {} bytes, found {}", backing_.options.max_file_bytes,
                  size);
    }
    FileAssembly assembly;
    for (size_t i = 0; i < said.segments.size(); i++) {
      const xet::Hash* range_hash = said.range_hashes.empty() ? nullptr : &said.range_hashes[i];
      TRY_CONTEXT(fmt::format("segment {}", i), CheckSegment(said.segments[i], range_hash, assembly));
    }
    NewFile file = assembly.Finish();
    if (file.file.hash != said.hash) {
      return Fail(ErrorCode::kInvalidArgument, "its chunks make it the file {}", xet::ToText(file.file.hash));
    }
    file.file.sha256 = TRY(Sha256Of(file, said));
    if (said.sha256 && *said.sha256 != file.file.sha256) {
      return Fail(ErrorCode::kInvalidArgument, "expected SHA-256 {}, which its content has, found {}",
                  EncodeHex(file.file.sha256), EncodeHex(*said.sha256));
    }
    checked_segments_ += file.segments.size();
    checked_.push_back(std::move(file));
    outcome_.files++;
    return {};
  }

  Result<void> CheckSegment(const xet::Segment& segment, const xet::Hash* range_hash, FileAssembly& assembly) {
    const KnownXorb known = TRY(Find(segment.xorb));
    const ChunkList& chunks = known.xorb->chunks;
    const uint32_t begin = segment.chunk_begin, end = segment.chunk_end;
    if (begin >= end || end > chunks.size()) {
      return Fail(ErrorCode::kInvalidArgument, "xorb {} has {} chunks, not {} to {}", xet::ToText(segment.xorb),
                  chunks.size(), begin, end);
    }
    const uint32_t raw_bytes = chunks.RawBegin(end) - chunks.RawBegin(begin);
    if (segment.raw_bytes != raw_bytes) {
      return Fail(ErrorCode::kInvalidArgument, "expected chunks {} to {} of xorb {} to have {} bytes, found {}", begin,
                  end, xet::ToText(segment.xorb), raw_bytes, segment.raw_bytes);
    }
    if (range_hash == nullptr && !known.sent) {
      return Fail(ErrorCode::kPermissionDenied,
                  "xorb {} was sent by others, and no hash of the chunks shows that they are known here",
                  xet::ToText(segment.xorb));
    }
    if (range_hash != nullptr && *range_hash != xet::RangeHash(chunks.hashes().subspan(begin, end - begin))) {
      return Fail(known.sent ? ErrorCode::kInvalidArgument : ErrorCode::kPermissionDenied,
                  "{} is not the hash of the chunks {} to {} of xorb {}", xet::ToText(*range_hash), begin, end,
                  xet::ToText(segment.xorb));
    }
    chunks_ += end - begin;
    if (chunks_ > backing_.options.max_shard_chunks) {
      return Fail(ErrorCode::kResourceExhausted, "expected at most {} chunks in all files, found more",
                  backing_.options.max_shard_chunks);
    }
    TRY(Advance(0));
    for (uint32_t i = begin; i < end; i++) {
      assembly.Add(known.xorb->id, i, chunks.RawBegin(i), chunks.RawSize(i), chunks.hashes()[i], asked_);
    }
    xorb_ids_.insert(known.xorb->id);
    segment_blobs_.emplace(known.xorb->id, BlobOf(segment.xorb));
    return {};
  }

  // Read once, for the first time that a file of this hash comes: commits and git-lfs name it by its SHA-256 from then
  // on, so a wrong one would give its readers something else.
  Result<Digest256> Sha256Of(const NewFile& file, const xet::ShardFile& said) {
    const auto there = TRY(backing_.database.Read([&](Transaction& t) {
      return t.QueryOne<Bytes>("SELECT sha256 FROM content_files WHERE hash = $1", said.hash.bytes);
    }));
    if (there) {
      TRY(Advance(file.file.size));
      return TRY(HashOf(*there)).bytes;
    }
    std::vector<WholeXorb> begin;
    for (const NewSegment& segment : file.segments) {
      if (segment.raw_begin > 0) break;
      begin.push_back({segment_blobs_.at(segment.xorb_id), segment.raw_bytes});
    }
    auto [sha256, done] = ahead_.Find(uploader_, begin);
    for (const NewSegment& segment : std::span(file.segments).first(done)) TRY(Advance(segment.raw_bytes));
    for (const NewSegment& segment : std::span(file.segments).subspan(done)) {
      TRY(blobs_.Read({segment_blobs_.at(segment.xorb_id), segment.raw_begin, segment.raw_bytes},
                      [&](std::span<const std::byte> bytes) {
                        sha256.Update(bytes);
                        return Advance(bytes.size());
                      }));
      // As xorbs that were hashed ahead: the next one is read into memory that is at hand.
      if (segment.raw_bytes >= HashAhead::kFull) backing_.blobs.WillNotNeed(segment_blobs_.at(segment.xorb_id));
    }
    segment_blobs_.clear();
    return sha256.Finish();
  }

  Result<void> Advance(uint64_t bytes) {
    verified_ += bytes;
    if (!progress_ || progress_(verified_, total_)) return {};
    return Fail(ErrorCode::kCancelled, "given up after {} of {} bytes", verified_, total_);
  }

  Result<void> RecordChecked() {
    const Timestamp now = backing_.options.now();
    outcome_.new_files += TRY(backing_.database.Write([&](Transaction& t) -> Result<uint64_t> {
      std::set<int64_t> used;
      for (const NewFile& file : checked_) {
        for (const NewSegment& segment : file.segments) used.insert(segment.xorb_id);
      }
      const std::vector<int64_t> ids(used.begin(), used.end());
      TRY(TouchXorbs(t, ids, now));
      uint64_t new_files = 0;
      for (const NewFile& file : checked_) new_files += TRY(RecordFile(t, file, uploader_, now)) ? 1 : 0;
      return new_files;
    }));
    checked_.clear();
    checked_segments_ = 0;
    return {};
  }

  Result<void> RecordTogether() {
    const Timestamp now = backing_.options.now();
    const std::vector<int64_t> ids(xorb_ids_.begin(), xorb_ids_.end());
    const int64_t group = TRY(backing_.database.Write([&](Transaction& t) { return RecordGroup(t, ids, now); }));
    const std::vector<std::pair<xet::Hash, int64_t>> asked(asked_.begin(), asked_.end());
    for (size_t i = 0; i < asked.size(); i += kAskedAtOnce) {
      const auto part = std::span(asked).subspan(i, std::min(kAskedAtOnce, asked.size() - i));
      TRY(backing_.database.Write([&](Transaction& t) { return RecordAskedChunks(t, group, part); }));
    }
    return {};
  }

  const Backing& backing_;
  HashAhead& ahead_;
  const int64_t uploader_;
  const ShardProgress& progress_;
  BlobRangeReader blobs_;
  LruCache<xet::Hash, KnownXorb, xet::HashOfHash> known_{kMaxLoaded};

  uint64_t chunks_ = 0;                                  // of all files
  uint64_t verified_ = 0, total_ = 0;                    // bytes of them
  std::unordered_map<int64_t, BlobName> segment_blobs_;  // of the file that is being checked
  std::vector<NewFile> checked_;                         // and not yet recorded
  size_t checked_segments_ = 0;

  std::set<int64_t> xorb_ids_;  // of all files and xorbs of the shard
  AskedChunks asked_;
  ShardOutcome outcome_;
};

}  // namespace

Result<ShardOutcome> ContentStore::RegisterShard(const ByteSource& shard, int64_t uploader,
                                                 const ShardProgress& progress) const {
  return Registration(backing_, *ahead_, uploader, progress).Run(TRY(xet::ReadShard(shard)));
}

}  // namespace bothy::content
