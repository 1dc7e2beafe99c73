#include "hub/backup.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/copy_file.h"
#include "base/output_file.h"
#include "hub/data_lock.h"
#include "hub/part_folder.h"
#include "hub/repository_folder.h"
#include "hub/repository_rows.h"
#include "store/blobs/local_blob_store.h"
#include "store/content/blob_copy.h"
#include "store/git/copy.h"

namespace bothy {
namespace {

namespace fs = std::filesystem;

// How often a repository is looked for: it may be moving.
constexpr int kLooks = 3;
// A clock that was set back by less than this does no harm: names go on from the latest one.
constexpr std::chrono::minutes kMaxClockStep{70};
constexpr std::string_view kPartEnding = ".part";

bool IsInside(const fs::path& inner, const fs::path& outer) {
  std::error_code error;
  const fs::path relative = fs::weakly_canonical(inner, error).lexically_relative(fs::weakly_canonical(outer, error));
  return !relative.empty() && *relative.begin() != "..";
}

Result<void> MakePrivateFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return Fail(ErrorCode::kInvalidArgument, "{}: cannot be made: {}", folder.string(), error.message());
  return {};
}

class Backup {
 public:
  Backup(Hub& hub, const BackupOptions& options) : hub_(hub), options_(options), folder_(options.folder) {}

  Result<BackupReport> Run() {
    if (IsInside(options_.folder, hub_.data())) {
      return Fail(ErrorCode::kInvalidArgument, "{}: lies in the hub's folder of data, with which it would be lost",
                  options_.folder.string());
    }
    TRY(MakePrivateFolder(folder_.blobs()));
    TRY(MakePrivateFolder(folder_.snapshots()));
    const DataLock one_backup = TRY(DataLock::Take(folder_.path(), DataLockKind::kBackups, "bothy backup"));
    const DataLock no_removal = TRY(DataLock::Take(hub_.data(), DataLockKind::kRemoval, "bothy backup"));
    TRY(RemoveParts());
    // Whatever a backup has left half-written is nobody's now.
    pool_ = TRY(OpenLocalBlobStore(folder_.blobs(), {.leftover_age = std::chrono::seconds(0)}));
    TRY(MakeSnapshot());
    if (options_.keep > 0) {
      TRY_CONTEXT(fmt::format("the snapshot {} is complete, but older ones could not be removed", snapshot_.name),
                  Prune());
    }
    report_.snapshot = snapshot_;
    return std::move(report_);
  }

 private:
  Result<void> RemoveParts() const {
    std::error_code error;
    std::vector<fs::path> parts;
    for (fs::directory_iterator it(folder_.snapshots(), error), end; !error && it != end; it.increment(error)) {
      if (it->path().extension() == kPartEnding) parts.push_back(it->path());
    }
    for (const fs::path& part : parts) {
      if (!error) fs::remove_all(part, error);
    }
    if (error) return Fail(ErrorCode::kInternal, "{}: {}", folder_.snapshots().string(), error.message());
    return {};
  }

  Result<void> MakeSnapshot() {
    const auto names = TRY(folder_.Names());
    if (!names.empty()) earlier_ = folder_.PathOf(names.back());
    snapshot_.name = TRY(NextName(names));
    snapshot_.dialect = hub_.database().dialect();
    PartFolder part = TRY(PartFolder::Make(folder_.PathOf(snapshot_.name + std::string(kPartEnding))));
    part_ = part.path();
    TRY(CopyRepositories());
    TRY(CopyDatabase());
    TRY(CopyContent());
    TRY(CopyConfiguration());
    TRY(SnapshotFolder::WriteManifest(part_, snapshot_));
    return part.MoveTo(folder_.PathOf(snapshot_.name));
  }

  // A second later than the latest one at least, so that the order of names is that of time.
  Result<std::string> NextName(const std::vector<std::string>& names) const {
    const Timestamp now = hub_.now();
    for (std::chrono::seconds later{0}; later <= kMaxClockStep; ++later) {
      std::string name = SnapshotName(now + later);
      if (names.empty() || name > names.back()) return name;
    }
    return Fail(ErrorCode::kFailedPrecondition,
                "{}: the snapshot {} is of a time that has not come yet: set the clock, or move that snapshot away",
                folder_.path().string(), names.back());
  }

  Result<void> Progress(std::string_view what, uint64_t done, uint64_t total) const {
    if (!options_.progress || options_.progress(what, done, std::max(done, total))) return {};
    return Fail(ErrorCode::kCancelled, "the backup was given up");
  }

  Result<void> CopyRepositories() {
    const auto total = TRY(hub_.database().Read(
        [](Transaction& t) { return t.QueryOne<int64_t>("SELECT count(*) FROM repositories WHERE state = 'ready'"); }));
    std::error_code error;
    fs::create_directory(part_ / "git", error);
    if (error) return Fail(ErrorCode::kInternal, "{}: {}", part_.string(), error.message());
    uint64_t done = 0;
    return ForEachRepository(hub_.database(), "", [&](const Repository& repository) -> Result<void> {
      TRY(CopyRepository(repository));
      return Progress("repositories", ++done, static_cast<uint64_t>(total.value_or(0)));
    });
  }

  // Wherever it lies: it may be moved or deleted meanwhile.
  Result<void> CopyRepository(const Repository& repository) {
    const fs::path to = GitFolderOf(part_, repository.id);
    const fs::path earlier = earlier_.empty() ? fs::path() : GitFolderOf(earlier_, repository.id);
    for (int look = 0; look < kLooks; look++) {
      const auto found = TRY(hub_.repositories().FindById({}, repository.id));
      if (!found) return {};
      for (const std::string& folder : {found->repository.folder, FolderOf(found->repository)}) {
        const fs::path from = hub_.repositories().folder() / folder;
        if (ReadRepositoryId(from) != repository.id) continue;
        const auto copied = git::CopyRepository(from, to, earlier);
        if (copied && ReadRepositoryId(from) == repository.id) {
          snapshot_.repositories++;
          snapshot_.git_bytes += copied->bytes;
          snapshot_.new_bytes += copied->new_bytes;
          return {};
        }
        std::error_code ignored;
        fs::remove_all(to, ignored);
        if (!copied && copied.error().code != ErrorCode::kNotFound) return tl::unexpected(copied.error());
      }
    }
    report_.missing.push_back(repository.folder);
    return {};
  }

  Result<void> CopyDatabase() {
    const fs::path to = part_ / DatabaseFileName(snapshot_.dialect);
    TRY(hub_.database().Backup(
        to, [&](uint64_t done, uint64_t total) { return Progress("database", done, total).has_value(); }));
    std::error_code error;
    snapshot_.database_bytes = fs::file_size(to, error);
    if (error) return Fail(ErrorCode::kInternal, "{}: {}", to.string(), error.message());
    snapshot_.new_bytes += snapshot_.database_bytes;
    return {};
  }

  // Of what the database names by now, which is at least what its copy does.
  Result<void> CopyContent() {
    const auto list = TRY(OutputFile::Create(part_ / kBlobList));
    content::BlobCopyOptions options;
    options.each = [&](const BlobName& name, uint64_t size) {
      return list->Write(fmt::format("{} {}\n", name.text(), size));
    };
    options.progress = [&](uint64_t done, uint64_t total) { return Progress("content", done, total).has_value(); };
    const auto copied = content::CopyBlobs(hub_.database(), hub_.blobs(), *pool_, options);
    if (!copied && copied.error().code == ErrorCode::kCorrupt) {
      return Fail(ErrorCode::kCorrupt,
                  "{}: 'bothy doctor --repair' notes what is damaged, and then the rest is backed up",
                  copied.error().message);
    }
    if (!copied) return tl::unexpected(copied.error());
    snapshot_.blobs = copied->blobs;
    snapshot_.blob_bytes = copied->bytes;
    snapshot_.new_bytes += copied->new_bytes;
    return list->Commit();
  }

  Result<void> CopyConfiguration() const {
    const auto copied = CopyFile(hub_.data() / kConfigurationFile, part_ / kConfigurationFile);
    if (copied || copied.error().code == ErrorCode::kNotFound) return {};
    return tl::unexpected(copied.error());
  }

  // First what is still needed is known, then snapshots go, then the blobs that only they needed.
  Result<void> Prune() {
    const auto names = TRY(folder_.Names());
    if (names.size() <= options_.keep) return {};
    const auto kept = names.end() - static_cast<ptrdiff_t>(options_.keep);
    using Name = std::array<char, BlobName::kLength>;
    std::vector<Name> needed;  // 64 bytes for each blob of up to 64 MiB: 16 MB for 16 TB
    for (auto name = kept; name != names.end(); ++name) {
      TRY(folder_.ForEachBlob(TRY(folder_.Read(*name)), [&](const BlobName& blob, uint64_t) -> Result<void> {
        std::ranges::copy(blob.text(), needed.emplace_back().begin());
        return {};
      }));
      std::sort(needed.begin(), needed.end());
      needed.erase(std::unique(needed.begin(), needed.end()), needed.end());
    }
    for (auto name = names.begin(); name != kept; ++name) {
      TRY(RemoveSnapshot(*name));
      report_.removed_snapshots++;
    }
    for (std::optional<BlobName> last;;) {
      const auto page = TRY(pool_->List(last));
      if (page.empty()) return {};
      last = page.back().name;
      for (const BlobInfo& blob : page) {
        Name text;
        std::ranges::copy(blob.name.text(), text.begin());
        if (std::binary_search(needed.begin(), needed.end(), text)) continue;
        TRY(pool_->Remove(blob.name));
        report_.removed_bytes += blob.size;
      }
    }
  }

  // Away at once, whatever happens before all of it is.
  Result<void> RemoveSnapshot(const std::string& name) const {
    const fs::path part = folder_.PathOf(name + std::string(kPartEnding));
    std::error_code error;
    fs::rename(folder_.PathOf(name), part, error);
    if (!error) fs::remove_all(part, error);
    if (error) return Fail(ErrorCode::kInternal, "{}: {}", folder_.PathOf(name).string(), error.message());
    return {};
  }

  Hub& hub_;
  const BackupOptions& options_;
  const SnapshotFolder folder_;
  std::unique_ptr<BlobStore> pool_;
  fs::path part_;     // where the snapshot is written
  fs::path earlier_;  // the latest that there is; empty where there is none
  Snapshot snapshot_;
  BackupReport report_;
};

}  // namespace

Result<BackupReport> MakeBackup(Hub& hub, const BackupOptions& options) { return Backup(hub, options).Run(); }

}  // namespace bothy
