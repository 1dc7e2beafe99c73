#include "store/content/content_store.h"

#include "base/hex.h"
#include "store/content/xorbs.h"

namespace bothy::content {
namespace {

Result<std::optional<File>> FileOf(const std::optional<std::tuple<Bytes, Bytes, int64_t>>& row) {
  if (!row) return std::nullopt;
  const auto& [hash, sha256, size] = *row;
  return File{TRY(HashOf(sha256)).bytes, TRY(HashOf(hash)), static_cast<uint64_t>(size)};
}

}  // namespace

std::unique_ptr<FileWriter> ContentStore::CreateFile(const ExpectedFile& expected) const {
  return std::make_unique<FileWriter>(backing_, expected);
}

Result<std::unique_ptr<XorbReceiver>> ContentStore::ReceiveXorb(const xet::Hash& hash,
                                                                std::optional<int64_t> uploader) const {
  const auto row = TRY(backing_.database.Read([&](Transaction& t) { return FindXorbRow(t, hash); }));
  std::unique_ptr<BlobWriter> blob;
  if (!row || row->state != XorbState::kWhole) blob = TRY(backing_.blobs.Create());
  return std::make_unique<XorbReceiver>(backing_, hash, uploader, std::move(blob),
                                        uploader ? ahead_->Stand(*uploader) : nullptr);
}

Result<std::optional<File>> ContentStore::FindBySha256(const Digest256& sha256) const {
  return FileOf(TRY(backing_.database.Read([&](Transaction& t) {
    return t.QueryOne<Bytes, Bytes, int64_t>(
        "SELECT hash, sha256, size FROM content_files WHERE sha256 = $1 ORDER BY id LIMIT 1", sha256);
  })));
}

Result<std::optional<File>> ContentStore::FindByHash(const xet::Hash& hash) const {
  return FileOf(TRY(backing_.database.Read([&](Transaction& t) {
    return t.QueryOne<Bytes, Bytes, int64_t>("SELECT hash, sha256, size FROM content_files WHERE hash = $1",
                                             hash.bytes);
  })));
}

Result<std::vector<std::optional<File>>> ContentStore::Touch(std::span<const Digest256> sha256s) const {
  const Timestamp now = backing_.options.now();
  return backing_.database.Write([&](Transaction& t) -> Result<std::vector<std::optional<File>>> {
    std::vector<std::optional<File>> files;
    for (const Digest256& sha256 : sha256s) {
      // A file of which a xorb is damaged counts as missing, so that whoever has it sends it again.
      files.push_back(TRY(FileOf(TRY((t.QueryOne<Bytes, Bytes, int64_t>(
          "UPDATE content_files SET touched = $1 WHERE id = (SELECT f.id FROM content_files f WHERE f.sha256 = $2 AND "
          "NOT EXISTS (SELECT 1 FROM content_segments s JOIN content_xorbs x ON x.id = s.xorb_id "
          "WHERE s.file_id = f.id AND x.state <> 0) ORDER BY f.id LIMIT 1) RETURNING hash, sha256, size",
          now, sha256))))));
    }
    return files;
  });
}

Result<bool> ContentStore::SentBy(int64_t uploader, const Digest256& sha256) const {
  return backing_.database.Read([&](Transaction& t) -> Result<bool> {
    return TRY(t.QueryOne<bool>("SELECT EXISTS (SELECT 1 FROM content_files f JOIN content_file_senders s "
                                "ON s.file_id = f.id WHERE f.sha256 = $1 AND s.uploader = $2)",
                                sha256, uploader)) == true;
  });
}

Result<Usage> ContentStore::Total() const {
  return backing_.database.Read([&](Transaction& t) -> Result<Usage> {
    const auto files = TRY(
        (t.QueryOne<int64_t, int64_t>("SELECT count(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM content_files")));
    const auto xorbs = TRY((t.QueryOne<int64_t, int64_t>(
        "SELECT count(*), CAST(COALESCE(SUM(raw_bytes), 0) AS BIGINT) FROM content_xorbs WHERE state <> 2")));
    const auto number = [](int64_t value) { return static_cast<uint64_t>(value); };
    return Usage{number(std::get<0>(*files)), number(std::get<1>(*files)), number(std::get<0>(*xorbs)),
                 number(std::get<1>(*xorbs))};
  });
}

Result<uint64_t> ContentStore::UniqueBytes(const Digest256& sha256) const {
  return backing_.database.Read([&](Transaction& t) -> Result<uint64_t> {
    const auto bytes = TRY(t.QueryOne<int64_t>(
        "SELECT CAST(COALESCE(SUM(x.raw_bytes), 0) AS BIGINT) FROM content_xorbs x WHERE x.id IN (SELECT s.xorb_id "
        "FROM content_segments s JOIN content_files f ON f.id = s.file_id WHERE f.sha256 = $1) AND NOT EXISTS (SELECT "
        "1 "
        "FROM content_segments s JOIN content_files f ON f.id = s.file_id WHERE s.xorb_id = x.id AND f.sha256 <> $1)",
        sha256));
    return static_cast<uint64_t>(bytes.value_or(0));
  });
}

}  // namespace bothy::content
