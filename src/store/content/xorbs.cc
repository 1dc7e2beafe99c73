#include "store/content/xorbs.h"

#include <algorithm>

#include "store/content/batch.h"

namespace bothy::content {
namespace {

// In one transaction, beside which nobody else writes: removing a blob of 64 MiB takes a few ms.
constexpr size_t kRemovedAtOnce = 16;

std::vector<int64_t> IndexKeys(const ChunkList& chunks) {
  std::vector<int64_t> keys;
  for (uint32_t i = 0; i < chunks.size(); i++) {
    if (IsIndexed(chunks, i)) keys.push_back(IndexKey(chunks.hashes()[i]));
  }
  // In one order for everybody, so that two transactions never wait for each other; and each once, because PostgreSQL
  // does not change a row twice in one statement.
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

Result<ChunkList> ListOf(Transaction& t, int64_t xorb_id) {
  const auto packed = TRY(t.QueryOne<Bytes>("SELECT chunks FROM content_chunk_lists WHERE xorb_id = $1", xorb_id));
  if (!packed) return Fail(ErrorCode::kCorrupt, "xorb {} of the database: its chunk list is missing", xorb_id);
  return TRY_CONTEXT(fmt::format("xorb {} of the database", xorb_id), ChunkList::Unpack(*packed));
}

struct LoadedXorb {
  std::shared_ptr<const Xorb> xorb;
  Timestamp touched;
};

Result<LoadedXorb> Load(const Backing& backing, int64_t id) {
  return backing.database.Read([&](Transaction& t) -> Result<LoadedXorb> {
    const auto row =
        TRY((t.QueryOne<Bytes, Timestamp>("SELECT hash, touched FROM content_xorbs WHERE id = $1 AND state = 0", id)));
    if (!row) return LoadedXorb{};
    const auto& [hash, touched] = *row;
    return LoadedXorb{std::make_shared<const Xorb>(Xorb{id, TRY(HashOf(hash)), TRY(ListOf(t, id))}), touched};
  });
}

}  // namespace

BlobName BlobOf(const xet::Hash& xorb) { return *BlobName::Parse(xet::ToText(xorb)); }

Result<xet::Hash> HashOf(const Bytes& column) {
  xet::Hash hash;
  if (column.size() != hash.bytes.size()) {
    return Fail(ErrorCode::kCorrupt, "the database: expected a hash of 32 bytes, found {}", column.size());
  }
  std::ranges::copy(column, hash.bytes.begin());
  return hash;
}

Result<std::optional<XorbRow>> FindXorbRow(Transaction& t, const xet::Hash& hash) {
  const auto row = TRY((t.QueryOne<int64_t, int64_t, int64_t>(
      "SELECT id, state, raw_bytes FROM content_xorbs WHERE hash = $1", hash.bytes)));
  if (!row) return std::nullopt;
  const auto [id, state, raw_bytes] = *row;
  return XorbRow{id, static_cast<XorbState>(state), static_cast<uint32_t>(raw_bytes)};
}

Result<std::shared_ptr<const Xorb>> LoadXorb(const Backing& backing, int64_t id) { return TRY(Load(backing, id)).xorb; }

Result<std::shared_ptr<const Xorb>> LoadXorbToUse(const Backing& backing, int64_t id) {
  auto loaded = TRY(Load(backing, id));
  const Timestamp now = backing.options.now();
  if (loaded.xorb == nullptr || now - loaded.touched < kTouchEvery) return loaded.xorb;
  const int64_t changed = TRY(backing.database.Write([&](Transaction& t) {
    return t.Execute("UPDATE content_xorbs SET touched = $1 WHERE id = $2 AND state = 0", now, id);
  }));
  return changed == 1 ? loaded.xorb : nullptr;
}

Result<int64_t> RecordXorb(Transaction& t, const BlobStore& blobs, const xet::Hash& hash, const ChunkList& chunks,
                           Timestamp now) {
  const auto id = TRY(t.QueryOne<int64_t>(
      "INSERT INTO content_xorbs (hash, state, raw_bytes, touched) VALUES ($1, 0, $2, $3) ON CONFLICT (hash) DO UPDATE "
      "SET state = 0, raw_bytes = excluded.raw_bytes, touched = excluded.touched RETURNING id",
      hash.bytes, chunks.raw_bytes(), now));
  if (!id) return Fail(ErrorCode::kInternal, "xorb {}: the database gives it no row", xet::ToText(hash));
  // Who removes a blob holds its row (FinishRemoval), as this transaction does now: from here on the blob stays.
  if (TRY(blobs.Size(BlobOf(hash))) != chunks.raw_bytes()) {
    return Fail(ErrorCode::kUnavailable, "xorb {}: was removed as unused while it was sent again; send it once more",
                xet::ToText(hash));
  }
  TRY(
      t.Execute("INSERT INTO content_chunk_lists (xorb_id, chunks) VALUES ($1, $2) "
                "ON CONFLICT (xorb_id) DO UPDATE SET chunks = excluded.chunks",
                *id, chunks.Pack()));
  const auto keys = IndexKeys(chunks);
  TRY(InBatchesOrAlone(std::span<const int64_t>(keys), [&](std::span<const int64_t> batch) -> Result<void> {
    Statement insert("INSERT INTO content_chunks (prefix, xorb_id) VALUES ($1, $2)", batch.front(), *id);
    for (const int64_t key : batch.subspan(1)) insert.Add(", ($1, $2)", key, *id);
    // The newest: what looks alike is most often the next version of it, and the oldest goes first.
    TRY(t.Execute(insert.Add(" ON CONFLICT (prefix) DO UPDATE SET xorb_id = excluded.xorb_id")));
    return {};
  }));
  return *id;
}

Result<void> TouchXorbs(Transaction& t, std::span<const int64_t> ids, Timestamp now) {
  for (const int64_t id : ids) {
    if (TRY(t.Execute("UPDATE content_xorbs SET touched = $1 WHERE id = $2 AND state = 0", now, id)) == 0) {
      return Fail(ErrorCode::kUnavailable,
                  "content that this builds on was removed as unused meanwhile; send it again");
    }
  }
  return {};
}

Result<void> RecordXorbSender(Transaction& t, int64_t xorb_id, int64_t uploader, Timestamp now) {
  TRY(
      t.Execute("INSERT INTO content_xorb_senders (xorb_id, uploader, sent) VALUES ($1, $2, $3) "
                "ON CONFLICT (xorb_id, uploader) DO UPDATE SET sent = excluded.sent",
                xorb_id, uploader, now));
  return {};
}

Result<void> ForEachChunk(const ByteSource& blob, const ChunkList& chunks, bool verified,
                          const std::function<Result<void>(std::span<const std::byte>)>& take) {
  std::vector<std::byte> content;
  for (uint32_t i = 0; i < chunks.size(); i++) {
    content.resize(chunks.RawSize(i));
    TRY(blob.Read(chunks.RawBegin(i), content));
    if (verified) {
      if (const xet::Hash found = xet::ChunkHash(content); found != chunks.hashes()[i]) {
        return Fail(ErrorCode::kCorrupt, "chunk {} at byte {}: expected the hash {}, found {}", i, chunks.RawBegin(i),
                    xet::ToText(chunks.hashes()[i]), xet::ToText(found));
      }
    }
    TRY(take(content));
  }
  return {};
}

Result<void> FinishRemoval(const Backing& backing, std::span<const int64_t> ids) {
  for (size_t i = 0; i < ids.size(); i += kRemovedAtOnce) {
    TRY(backing.database.Write([&](Transaction& t) -> Result<void> {
      for (const int64_t id : ids.subspan(i, std::min(kRemovedAtOnce, ids.size() - i))) {
        const auto chunks = TRY(t.QueryOne<Bytes>("SELECT chunks FROM content_chunk_lists WHERE xorb_id = $1", id));
        // The row first: it is held from here on, so nobody records the xorb anew while its blob goes. Where the
        // transaction fails after that, the row is still there, as removed, and the next removal finishes it.
        const auto hash =
            TRY(t.QueryOne<Bytes>("DELETE FROM content_xorbs WHERE id = $1 AND state = 2 RETURNING hash", id));
        if (!hash) continue;  // sent again meanwhile
        TRY(backing.blobs.Remove(BlobOf(TRY(HashOf(*hash)))));
        const auto list = ChunkList::Unpack(chunks.value_or(Bytes()));
        if (!list) continue;  // of a blob that nothing was known about
        for (const int64_t key : IndexKeys(*list)) {
          TRY(t.Execute("DELETE FROM content_chunks WHERE prefix = $1 AND xorb_id = $2", key, id));
        }
      }
      return {};
    }));
  }
  return {};
}

}  // namespace bothy::content
