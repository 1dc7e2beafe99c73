// Reads everything and compares it with what it should be, beside a running server.
#include "store/content/verification.h"

#include <algorithm>
#include <set>

#include "base/hex.h"
#include "store/content/batch.h"
#include "store/content/content_store.h"
#include "store/content/lru_cache.h"
#include "store/content/segments.h"
#include "store/content/xorbs.h"

namespace bothy::content {
namespace {

constexpr int64_t kRowsAtOnce = 256;

class Verification {
 public:
  Verification(const Backing& backing, const VerifyOptions& options, const std::function<void(const Problem&)>& found)
      : backing_(backing), options_(options), found_(found), blobs_(backing.blobs) {}

  Result<Verified> Run() {
    total_ = static_cast<uint64_t>(TRY(backing_.database.Read([](Transaction& t) -> Result<int64_t> {
      return TRY(t.QueryOne<int64_t>("SELECT CAST(COALESCE(SUM(raw_bytes), 0) AS BIGINT) FROM content_xorbs"))
          .value_or(0);
    })));
    TRY(VerifyXorbs());
    TRY(VerifyFiles());
    TRY(FindUnknownBlobs());
    TRY(FindLeftRows());
    return verified_;
  }

 private:
  void Report(Problem problem) {
    verified_.problems++;
    if (problem.repaired) verified_.repaired++;
    found_(problem);
  }

  Result<void> VerifyXorbs() {
    for (int64_t last = 0;;) {
      const auto rows = TRY(backing_.database.Read([&](Transaction& t) {
        return t.Query<int64_t, Bytes, int64_t>(
            "SELECT id, hash, state FROM content_xorbs WHERE id > $1 ORDER BY id LIMIT $2", last, kRowsAtOnce);
      }));
      if (rows.empty()) return {};
      for (const auto& [id, hash, state] : rows) {
        last = id;
        TRY(VerifyXorb(id, TRY(HashOf(hash)), static_cast<XorbState>(state)));
      }
    }
  }

  Result<void> VerifyXorb(int64_t id, const xet::Hash& hash, XorbState state) {
    if (state == XorbState::kRemoved) {
      if (options_.repair) TRY(FinishRemoval(backing_, std::span(&id, 1)));
      Report({ProblemKind::kUnfinishedRemoval,
              fmt::format("xorb {}: was to be removed and is still there", ToText(hash)), std::nullopt,
              options_.repair});
      return {};
    }
    verified_.xorbs++;
    const auto sound = CheckXorb(id, hash);
    if (!sound && sound.error().code == ErrorCode::kCancelled) return sound;
    if (sound && state == XorbState::kWhole) return {};
    if (sound && !options_.read_blobs)
      return ReportDamaged(id, hash, "was found damaged, and nobody has sent it again");
    if (sound) {
      if (options_.repair) TRY(SetState(id, XorbState::kDamaged, XorbState::kWhole));
      Report({ProblemKind::kHealedXorb, fmt::format("xorb {}: was damaged and is whole again", ToText(hash)),
              std::nullopt, options_.repair});
      return {};
    }
    return ReportDamaged(id, hash, sound.error().message);
  }

  Result<void> ReportDamaged(int64_t id, const xet::Hash& hash, const std::string& message) {
    // It may have been collected since its row was read: then it is gone, not damaged.
    const auto row = TRY(backing_.database.Read([&](Transaction& t) { return FindXorbRow(t, hash); }));
    if (!row || row->id != id || row->state == XorbState::kRemoved) return {};
    bool removed = false;
    if (options_.repair) {
      TRY(SetState(id, XorbState::kWhole, XorbState::kDamaged));
      removed = TRY(backing_.database.Write([&](Transaction& t) -> Result<bool> {
        return TRY(t.Execute("UPDATE content_xorbs SET state = 2 WHERE id = $1 AND state = 1 AND NOT EXISTS "
                             "(SELECT 1 FROM content_segments s WHERE s.xorb_id = $1)",
                             id)) > 0;
      }));
      if (removed) TRY(FinishRemoval(backing_, std::span(&id, 1)));
    }
    if (!removed) damaged_.insert(id);
    Report({ProblemKind::kDamagedXorb, fmt::format("xorb {}: {}", ToText(hash), message), std::nullopt, removed});
    return {};
  }

  Result<void> SetState(int64_t id, XorbState from, XorbState to) {
    return backing_.database.Write([&](Transaction& t) -> Result<void> {
      TRY(t.Execute("UPDATE content_xorbs SET state = $1 WHERE id = $2 AND state = $3", static_cast<int64_t>(to), id,
                    static_cast<int64_t>(from)));
      return {};
    });
  }

  Result<void> CheckXorb(int64_t id, const xet::Hash& hash) {
    const ChunkList chunks = TRY(LoadChunks(id));
    if (chunks.XorbHash() != hash) {
      return Fail(ErrorCode::kCorrupt, "its chunk list makes it the xorb {}", ToText(chunks.XorbHash()));
    }
    const auto size = TRY(backing_.blobs.Size(BlobOf(hash)));
    if (!size) return Fail(ErrorCode::kCorrupt, "its blob is missing");
    if (*size != chunks.raw_bytes()) {
      return Fail(ErrorCode::kCorrupt, "expected a blob of {} bytes, found {}", chunks.raw_bytes(), *size);
    }
    if (!options_.read_blobs) return {};
    const auto blob = TRY(backing_.blobs.Open(BlobOf(hash)));
    TRY(ForEachChunk(*blob, chunks, true, [&](std::span<const std::byte> chunk) -> Result<void> {
      verified_.bytes += chunk.size();
      return {};
    }));
    if (options_.progress && !options_.progress(verified_.bytes, total_)) {
      return Fail(ErrorCode::kCancelled, "given up after {} of {} bytes", verified_.bytes, total_);
    }
    return {};
  }

  Result<ChunkList> LoadChunks(int64_t id) {
    const auto packed = TRY(backing_.database.Read([&](Transaction& t) {
      return t.QueryOne<Bytes>("SELECT chunks FROM content_chunk_lists WHERE xorb_id = $1", id);
    }));
    if (!packed) return Fail(ErrorCode::kCorrupt, "its chunk list is missing");
    return TRY_CONTEXT("its chunk list", ChunkList::Unpack(*packed));
  }

  Result<void> VerifyFiles() {
    for (int64_t last = 0;;) {
      const auto rows = TRY(backing_.database.Read([&](Transaction& t) {
        return t.Query<int64_t, Bytes, Bytes, int64_t>(
            "SELECT id, hash, sha256, size FROM content_files WHERE id > $1 ORDER BY id LIMIT $2", last, kRowsAtOnce);
      }));
      if (rows.empty()) return {};
      for (const auto& [id, hash, sha256, size] : rows) {
        last = id;
        verified_.files++;
        const File file{TRY(HashOf(sha256)).bytes, TRY(HashOf(hash)), static_cast<uint64_t>(size)};
        const auto sound = CheckFile(id, file);
        if (sound) continue;
        const auto still_there = TRY(backing_.database.Read(
            [&](Transaction& t) { return t.QueryOne<int64_t>("SELECT id FROM content_files WHERE id = $1", last); }));
        if (!still_there) continue;
        Report(
            {ProblemKind::kDamagedFile,
             fmt::format("file {} (SHA-256 {}): {}", ToText(file.hash), EncodeHex(file.sha256), sound.error().message),
             file.sha256});
      }
    }
  }

  Result<void> CheckFile(int64_t id, const File& file) {
    const auto segments = TRY(backing_.database.Read([&](Transaction& t) -> Result<std::vector<SegmentRow>> {
      if (file.size == 0) return std::vector<SegmentRow>();
      return SegmentsOf(t, id, 0, file.size, kMaxSegments);
    }));
    xet::TreeHasher tree;
    Sha256 sha256;
    for (const SegmentRow& segment : segments) {
      if (damaged_.contains(segment.xorb_id)) {
        return Fail(ErrorCode::kCorrupt, "xorb {} is damaged", ToText(segment.xorb));
      }
      auto* chunks = lists_.Find(segment.xorb_id);
      if (chunks == nullptr) {
        chunks = &lists_.Put(segment.xorb_id,
                             TRY_CONTEXT(fmt::format("xorb {}", ToText(segment.xorb)), LoadChunks(segment.xorb_id)));
      }
      const uint32_t begin = segment.chunk_begin, end = segment.chunk_end;
      if (begin >= end || end > chunks->size() || segment.raw_begin != chunks->RawBegin(begin) ||
          segment.raw_bytes != chunks->RawBegin(end) - segment.raw_begin) {
        return Fail(ErrorCode::kCorrupt, "the segment at byte {} is not chunks {} to {} of xorb {}",
                    segment.file_offset, begin, end, ToText(segment.xorb));
      }
      for (uint32_t i = begin; i < end; i++) tree.Add(chunks->hashes()[i], chunks->RawSize(i));
      if (!options_.read_files) continue;
      TRY(blobs_.Read({BlobOf(segment.xorb), segment.raw_begin, segment.raw_bytes},
                      [&](std::span<const std::byte> bytes) -> Result<void> {
                        sha256.Update(bytes);
                        return {};
                      }));
    }
    if (const xet::Hash found = xet::FileHash(tree.Finish()); found != file.hash) {
      return Fail(ErrorCode::kCorrupt, "its chunks make it the file {}", ToText(found));
    }
    if (!options_.read_files) return {};
    if (const Digest256 found = sha256.Finish(); found != file.sha256) {
      return Fail(ErrorCode::kCorrupt, "its content has the SHA-256 {}", EncodeHex(found));
    }
    return {};
  }

  Result<void> FindUnknownBlobs() {
    const auto young = std::chrono::floor<std::chrono::seconds>(backing_.options.now()) - options_.unknown_blob_age;
    std::optional<BlobName> last;
    while (true) {
      const auto page = TRY(backing_.blobs.List(last));
      if (page.empty()) return {};
      last = page.back().name;
      for (const BlobInfo& blob : page) {
        if (blob.committed <= young) TRY(CheckKnown(blob));
      }
    }
  }

  Result<void> CheckKnown(const BlobInfo& blob) {
    const xet::Hash hash = xet::FromText(blob.name.text()).value_or(xet::Hash());
    const auto row = TRY(backing_.database.Read([&](Transaction& t) { return FindXorbRow(t, hash); }));
    if (row) return {};
    if (options_.repair) TRY(RemoveUnknownBlob(hash, blob.size));
    Report({ProblemKind::kUnknownBlob,
            fmt::format("blob {} of {} bytes: no xorb of this name is known", blob.name.text(), blob.size),
            std::nullopt, options_.repair});
    return {};
  }

  // By a row for it that says that it goes: the only way to remove a blob beside somebody who may be about to record
  // it.
  Result<void> RemoveUnknownBlob(const xet::Hash& hash, uint64_t size) {
    const auto id = TRY(backing_.database.Write([&](Transaction& t) {
      return t.QueryOne<int64_t>(
          "INSERT INTO content_xorbs (hash, state, raw_bytes, touched) VALUES ($1, 2, $2, 0) ON CONFLICT DO NOTHING "
          "RETURNING id",
          hash.bytes, static_cast<int64_t>(size));
    }));
    if (!id) return {};
    return FinishRemoval(backing_, std::span(&*id, 1));
  }

  Result<void> FindLeftRows() {
    const Timestamp yesterday = backing_.options.now() - std::chrono::hours(24);
    const auto [collections, hints] =
        TRY(backing_.database.Read([&](Transaction& t) -> Result<std::pair<int64_t, int64_t>> {
          return std::pair{
              TRY(t.QueryOne<int64_t>("SELECT count(*) FROM content_collections WHERE started < $1", yesterday))
                  .value_or(0),
              TRY(t.QueryOne<int64_t>("SELECT count(*) FROM content_chunks c WHERE NOT EXISTS "
                                      "(SELECT 1 FROM content_xorbs x WHERE x.id = c.xorb_id)"))
                  .value_or(0)};
        }));
    if (collections == 0 && hints == 0) return {};
    if (options_.repair) {
      TRY(backing_.database.Write([&](Transaction& t) -> Result<void> {
        TRY(t.Execute("DELETE FROM content_collections WHERE started < $1", yesterday));
        TRY(
            t.Execute("DELETE FROM content_chunks WHERE NOT EXISTS "
                      "(SELECT 1 FROM content_xorbs x WHERE x.id = content_chunks.xorb_id)"));
        return {};
      }));
    }
    Report({ProblemKind::kLeftRows,
            fmt::format("{} collections that were not finished, {} hints to xorbs that are gone", collections, hints),
            std::nullopt, options_.repair});
    return {};
  }

  const Backing& backing_;
  const VerifyOptions& options_;
  const std::function<void(const Problem&)>& found_;
  BlobRangeReader blobs_;
  LruCache<int64_t, ChunkList> lists_{64};
  std::set<int64_t> damaged_;  // xorbs
  uint64_t total_ = 0;
  Verified verified_;
};

}  // namespace

std::string_view ProblemKindName(ProblemKind kind) {
  switch (kind) {
    case ProblemKind::kDamagedXorb: return "damaged_xorb";
    case ProblemKind::kDamagedFile: return "damaged_file";
    case ProblemKind::kHealedXorb: return "healed_xorb";
    case ProblemKind::kUnfinishedRemoval: return "unfinished_removal";
    case ProblemKind::kUnknownBlob: return "unknown_blob";
    case ProblemKind::kLeftRows: return "left_rows";
  }
  return "unknown";
}

Result<Verified> ContentStore::Verify(const VerifyOptions& options,
                                      const std::function<void(const Problem&)>& found) const {
  return Verification(backing_, options, found).Run();
}

}  // namespace bothy::content
