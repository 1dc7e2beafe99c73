#include "hub/restore.h"

#include <sys/stat.h>

#include <algorithm>

#include "hub/data_lock.h"
#include "hub/part_folder.h"
#include "hub/repository_folder.h"
#include "hub/repository_rows.h"
#include "store/blobs/local_blob_store.h"
#include "store/content/blob_copy.h"
#include "store/database/address.h"
#include "store/database/restore.h"
#include "store/git/copy.h"

namespace bothy {
namespace {

namespace fs = std::filesystem;

class Restoration {
 public:
  Restoration(const RestoreOptions& options, const std::function<void(const Finding&)>& found)
      : options_(options), found_(found), folder_(options.folder) {}

  Result<RestoreReport> Run() {
    // Nobody may remove old snapshots meanwhile. A folder that cannot be written to is safe from that.
    const auto lock = DataLock::Take(folder_.path(), DataLockKind::kBackups, "bothy restore");
    if (!lock && lock.error().code == ErrorCode::kUnavailable) return tl::unexpected(lock.error());
    TRY(FindSnapshot());
    const fs::path data = TRY(FindPlace());
    pool_ = TRY(OpenLocalBlobStore(folder_.blobs()));
    TRY(CheckBlobs());
    fs::path part_path = data;
    part_path += ".part";
    std::error_code error;
    if (fs::exists(part_path, error)) {
      return Fail(ErrorCode::kAlreadyExists, "{}: a restore is under way, or was killed: then remove it",
                  part_path.string());
    }
    PartFolder part = TRY(PartFolder::Make(part_path));
    const std::string database =
        is_sqlite() ? "sqlite:" + (part.path() / DatabaseFileName(Dialect::kSqlite)).string() : options_.hub.database;
    TRY(RestoreDatabase(database, folder_.PathOf(snapshot().name) / DatabaseFileName(snapshot().dialect),
                        [&](uint64_t done, uint64_t total) { return Progress("database", done, total).has_value(); }));
    auto filled = Fill(part.path(), database);
    if (filled) filled = part.MoveTo(data);
    if (filled) return std::move(report_);
    if (is_sqlite()) return tl::unexpected(filled.error());
    return Fail(filled.error().code, "{} (the database has been filled: empty it before the next try)",
                filled.error().message);
  }

 private:
  const Snapshot& snapshot() const { return report_.snapshot; }
  bool is_sqlite() const { return snapshot().dialect == Dialect::kSqlite; }

  Result<void> Progress(std::string_view what, uint64_t done, uint64_t total) const {
    if (!options_.progress || options_.progress(what, done, std::max(done, total))) return {};
    return Fail(ErrorCode::kCancelled, "given up");
  }

  Result<void> FindSnapshot() {
    const auto names = TRY(folder_.Names());
    if (names.empty()) return Fail(ErrorCode::kNotFound, "{}: there is no snapshot in it", folder_.path().string());
    report_.snapshot = TRY(folder_.Read(options_.snapshot.empty() ? names.back() : options_.snapshot));
    if (is_sqlite()) {
      if (options_.hub.database.empty()) return {};
      return Fail(ErrorCode::kInvalidArgument,
                  "{}: its database is SQLite's, which goes into the folder of data: give no other place for it",
                  snapshot().name);
    }
    if (!options_.hub.database.empty() && TRY(DialectOf(options_.hub.database)) == Dialect::kPostgresql) {
      return {};
    }
    return Fail(ErrorCode::kInvalidArgument,
                "{}: its database is PostgreSQL's: give the address of an empty one (--database postgresql://...)",
                snapshot().name);
  }

  // The folder of data, without a slash at its end.
  Result<fs::path> FindPlace() const {
    std::error_code error;
    fs::path data = fs::absolute(options_.hub.data, error).lexically_normal();
    if (!data.has_filename()) data = data.parent_path();
    struct stat own{}, parent{};
    if (lstat(data.c_str(), &own) != 0) return data;
    if (!S_ISDIR(own.st_mode) || !fs::is_empty(data, error) || error) {
      return Fail(ErrorCode::kAlreadyExists, "{}: is there already: a hub is restored into a new folder",
                  data.string());
    }
    if (stat(data.parent_path().c_str(), &parent) != 0 || parent.st_dev != own.st_dev) {
      return Fail(ErrorCode::kInvalidArgument, "{}: is the top of a disk: give a new folder in it", data.string());
    }
    return data;
  }

  // Before anything is written.
  Result<void> CheckBlobs() const {
    uint64_t done = 0;
    return folder_.ForEachBlob(snapshot(), [&](const BlobName& name, uint64_t size) -> Result<void> {
      const auto found = TRY(pool_->Size(name));
      if (found != size) {
        return Fail(ErrorCode::kCorrupt, "{}: blob {} of {} bytes is {}", folder_.blobs().string(), name.text(), size,
                    found ? fmt::format("cut or damaged: it has {} bytes", *found) : "missing");
      }
      return Progress("checking", ++done, snapshot().blobs);
    });
  }

  Result<void> Fill(const fs::path& data, const std::string& database) {
    const auto hub = TRY(Hub::Open({.data = data, .database = database, .clock = options_.hub.clock}));
    content::BlobCopyOptions copy{.verify = options_.verify};
    copy.progress = [&](uint64_t done, uint64_t total) { return Progress("content", done, total).has_value(); };
    TRY_CONTEXT(folder_.blobs().string(), content::CopyBlobs(hub->database(), *pool_, hub->blobs(), copy));
    TRY(CopyRepositories(*hub));
    TRY(hub->repositories().Recover());
    report_.diagnosis = TRY(Examine(*hub, {.repair = true, .quick = true, .progress = options_.progress}, found_));
    return {};
  }

  // By rows: a folder without one was of a repository that was deleted before the database was copied. To where their
  // names say, which are unique also where the row of a move was not yet written; Recover notes it.
  Result<void> CopyRepositories(Hub& hub) {
    uint64_t done = 0;
    return ForEachRepository(hub.database(), "", [&](const Repository& repository) -> Result<void> {
      const fs::path from = GitFolderOf(folder_.PathOf(snapshot().name), repository.id);
      const fs::path to = hub.repositories().folder() / FolderOf(repository);
      const auto copied = git::CopyRepository(from, to);
      if (!copied && copied.error().code != ErrorCode::kNotFound) return tl::unexpected(copied.error());
      if (!copied) TRY(Drop(hub, repository));
      return Progress("repositories", ++done, snapshot().repositories);
    });
  }

  // Recover does it.
  Result<void> Drop(Hub& hub, const Repository& repository) {
    report_.dropped.push_back(repository.folder);
    return hub.database().Write([&](Transaction& t) -> Result<void> {
      TRY(t.Execute("UPDATE repositories SET state = 'deleting' WHERE id = $1", repository.id));
      return {};
    });
  }

  const RestoreOptions& options_;
  const std::function<void(const Finding&)>& found_;
  const SnapshotFolder folder_;
  std::unique_ptr<BlobStore> pool_;
  RestoreReport report_;
};

}  // namespace

Result<RestoreReport> Restore(const RestoreOptions& options, const std::function<void(const Finding&)>& found) {
  return Restoration(options, found).Run();
}

}  // namespace bothy
