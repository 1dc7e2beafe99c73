#include "store/content/blob_copy.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "store/content/xorbs.h"

namespace bothy::content {
namespace {

constexpr int64_t kRowsAtOnce = 256;
// Blobs that become durable together: the disk works on all of them while they are waited for.
constexpr size_t kCommittedTogether = 16;

class BlobCopy {
 public:
  BlobCopy(Database& database, const BlobStore& from, BlobStore& to, const BlobCopyOptions& options)
      : database_(database), from_(from), to_(to), options_(options) {}

  Result<CopiedBlobs> Run() {
    total_ = static_cast<uint64_t>(
        TRY(database_.Read([](Transaction& t) {
          return t.QueryOne<int64_t>(
              "SELECT CAST(COALESCE(SUM(raw_bytes), 0) AS BIGINT) FROM content_xorbs WHERE state = 0");
        })).value_or(0));
    for (int64_t last = 0;;) {
      const auto rows = TRY(database_.Read([&](Transaction& t) {
        return t.Query<int64_t, Bytes, int64_t>(
            "SELECT id, hash, raw_bytes FROM content_xorbs WHERE id > $1 AND state = 0 ORDER BY id LIMIT $2", last,
            kRowsAtOnce);
      }));
      if (rows.empty()) break;
      for (const auto& [id, hash, raw_bytes] : rows) {
        last = id;
        TRY(CopyXorb(id, BlobOf(TRY(HashOf(hash))), static_cast<uint64_t>(raw_bytes)));
      }
    }
    TRY(Commit());
    return copied_;
  }

 private:
  Result<void> CopyXorb(int64_t id, const BlobName& name, uint64_t size) {
    if (TRY(to_.Size(name)) != size) {
      auto writer = TRY_CONTEXT(fmt::format("blob {}", name.text()), CopyContent(id, name, size));
      waiting_.push_back({name, std::move(writer)});
      if (waiting_.size() == kCommittedTogether) TRY(Commit());
      copied_.new_blobs++;
      copied_.new_bytes += size;
    }
    copied_.blobs++;
    copied_.bytes += size;
    if (options_.each) TRY(options_.each(name, size));
    return Report(0);
  }

  Result<void> Report(uint64_t of_this_one) const {
    const uint64_t done = copied_.bytes + of_this_one;
    if (!options_.progress || options_.progress(done, std::max(done, total_))) return {};
    return Fail(ErrorCode::kCancelled, "given up after {} of {} bytes", done, total_);
  }

  Result<std::unique_ptr<BlobWriter>> CopyContent(int64_t id, const BlobName& name, uint64_t size) const {
    const auto packed = TRY(database_.Read([&](Transaction& t) {
      return t.QueryOne<Bytes>("SELECT chunks FROM content_chunk_lists WHERE xorb_id = $1", id);
    }));
    if (!packed) return Fail(ErrorCode::kCorrupt, "its chunk list is missing");
    const ChunkList chunks = TRY_CONTEXT("its chunk list", ChunkList::Unpack(*packed));
    const auto there = TRY(from_.Size(name));
    if (!there) return Fail(ErrorCode::kCorrupt, "is missing");
    if (*there != size || chunks.raw_bytes() != size) {
      return Fail(ErrorCode::kCorrupt, "expected {} bytes in {} chunks, found {}", size, chunks.size(), *there);
    }
    const auto source = TRY(from_.Open(name));
    auto writer = TRY(to_.Create(size));
    TRY(ForEachChunk(*source, chunks, options_.verify, [&](std::span<const std::byte> chunk) -> Result<void> {
      TRY(writer->Write(chunk));
      return Report(writer->size());
    }));
    TRY(writer->Close());
    return writer;
  }

  Result<void> Commit() { return to_.Commit(std::exchange(waiting_, {})); }

  Database& database_;
  const BlobStore& from_;
  BlobStore& to_;
  const BlobCopyOptions& options_;
  uint64_t total_ = 0;
  std::vector<NewBlob> waiting_;
  CopiedBlobs copied_;
};

}  // namespace

Result<CopiedBlobs> CopyBlobs(Database& database, const BlobStore& from, BlobStore& to,
                              const BlobCopyOptions& options) {
  return BlobCopy(database, from, to, options).Run();
}

}  // namespace bothy::content
