#include "store/git/repository.h"

#include <fcntl.h>
#include <git2.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>

#include "base/system_error.h"
#include "store/git/ref_name.h"
#include "store/git/rename.h"
#include "store/git/repository_internals.h"

namespace bothy::git {
namespace {

namespace fs = std::filesystem;

// What git itself writes, plus: no automatic collection in a push (maintenance decides when), fsync of what
// receive-pack and repack write, and objects of a push checked before they are kept.
constexpr std::string_view kConfig =
    "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
    "\tfsync = objects,derived-metadata,reference\n\tfsyncMethod = fsync\n\tlogAllRefUpdates = false\n"
    "[gc]\n\tauto = 0\n[receive]\n\tautogc = false\n\tfsckObjects = true\n\tunpackLimit = 8\n"
    "[uploadpack]\n\tallowFilter = true\n\tallowReachableSHA1InWant = true\n"
    "[transfer]\n\tadvertiseSID = false\n";

struct Table {
  std::mutex mutex;
  std::map<fs::path, std::weak_ptr<GitRepository>> open;
};

Table& OpenRepositories() {
  static Table table;
  return table;
}

Result<void> Sync(const fs::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool good = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (!good) return Fail(SystemErrorCode(error), "{}: fsync: {}", path.string(), std::strerror(error));
  return {};
}

Result<void> WriteFile(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return Fail(SystemErrorCode(errno), "{}: cannot write: {}", path.string(), std::strerror(errno));
  return Sync(path);
}

fs::path TemporaryBeside(const fs::path& path) {
  static std::atomic<uint64_t> count = 0;
  return path.parent_path() /
         fmt::format("{}{}-{}-{}", kTemporaryPrefix, path.filename().string(), getpid(), count.fetch_add(1));
}

Result<fs::path> Canonical(const fs::path& path) {
  std::error_code error;
  fs::path canonical = fs::canonical(path, error);
  if (error) return Fail(ErrorCode::kNotFound, "{}: there is no repository", path.string());
  return canonical;
}

Result<void> FillNew(const fs::path& folder, std::string_view default_branch) {
  std::error_code error;
  for (const char* name : {"objects/pack", "objects/info", "refs/heads", "refs/tags", "info"}) {
    fs::create_directories(folder / name, error);
    if (error) return Fail(SystemErrorCode(error.value()), "{}: {}", (folder / name).string(), error.message());
  }
  TRY(WriteFile(folder / "HEAD", fmt::format("ref: refs/heads/{}\n", default_branch)));
  TRY(WriteFile(folder / "config", kConfig));
  for (const char* name : {"objects", "refs", "."}) TRY(Sync(folder / name));
  return {};
}

// `relative` is the path of a file or folder in the repository. A name that ends with ".lock" is git's own everywhere,
// as no ref can have it; the others are git's own only beside objects, as a branch may be called "tmp_x".
bool IsLeftover(const fs::path& relative) {
  const std::string name = relative.filename().string();
  if (name.ends_with(".lock")) return true;
  if (*relative.begin() != "objects") return false;
  // git: tmp_obj_, tmp_pack_, tmp_idx_ ..., the quarantine tmp_objdir- of a push, and .tmp-PID-pack- of a repack;
  // libgit2: x_git2_XXXXXX.
  return name.starts_with("tmp_") || name.starts_with(".tmp-") || name.find("_git2_") != std::string::npos;
}

}  // namespace

GitRepository::GitRepository(std::unique_ptr<Internals> internals) : internals_(std::move(internals)) {}
GitRepository::~GitRepository() = default;

const fs::path& GitRepository::path() const { return internals_->path; }

Result<std::shared_ptr<GitRepository>> GitRepository::Create(const fs::path& path, std::string_view default_branch) {
  TRY(CheckBranchName(default_branch));
  const fs::path absolute = fs::absolute(path).lexically_normal();
  std::error_code error;
  fs::create_directories(absolute.parent_path(), error);
  if (error) return Fail(SystemErrorCode(error.value()), "{}: {}", absolute.parent_path().string(), error.message());
  const fs::path temporary = TemporaryBeside(absolute);
  auto made = FillNew(temporary, default_branch);
  if (made) made = RenameToFreeName(temporary, absolute);
  if (!made) {
    fs::remove_all(temporary, error);
    return tl::unexpected(std::move(made).error());
  }
  TRY(Sync(absolute.parent_path()));
  return Open(absolute);
}

Result<std::shared_ptr<GitRepository>> GitRepository::Open(const fs::path& path) {
  const fs::path canonical = TRY(Canonical(path));
  const std::lock_guard lock(OpenRepositories().mutex);
  return OpenLocked(canonical);
}

Result<std::shared_ptr<GitRepository>> GitRepository::OpenLocked(const fs::path& canonical) {
  auto& open = OpenRepositories().open;
  std::weak_ptr<GitRepository>& known = open[canonical];
  if (auto repository = known.lock()) return repository;
  StartLibgit();
  git_repository* raw = nullptr;
  const int status = git_repository_open_bare(&raw, canonical.c_str());
  if (status != 0) {
    open.erase(canonical);
    return tl::unexpected(LibgitError(status, canonical.string()));
  }
  git_repository_free(raw);
  std::shared_ptr<GitRepository> repository(new GitRepository(std::make_unique<Internals>(canonical)));
  known = repository;
  std::erase_if(open, [](const auto& entry) { return entry.second.expired(); });
  return repository;
}

Result<void> GitRepository::Rename(const fs::path& from, const fs::path& to) {
  const fs::path canonical = TRY(Canonical(from));
  const fs::path absolute = fs::absolute(to).lexically_normal();
  const std::lock_guard lock(OpenRepositories().mutex);
  const auto repository = TRY(OpenLocked(canonical));
  const DropGuard guard = TRY(DropGuard::Take(*repository));
  std::error_code error;
  fs::create_directories(absolute.parent_path(), error);
  TRY(RenameToFreeName(canonical, absolute));
  OpenRepositories().open.erase(canonical);
  TRY(Sync(absolute.parent_path()));
  return Sync(canonical.parent_path());
}

Result<void> GitRepository::Remove(const fs::path& path) {
  const fs::path canonical = TRY(Canonical(path));
  const fs::path temporary = TemporaryBeside(canonical);
  TRY(Rename(canonical, temporary));
  std::error_code error;
  fs::remove_all(temporary, error);
  if (error) return Fail(ErrorCode::kInternal, "{}: {}", temporary.string(), error.message());
  return {};
}

Result<void> GitRepository::RemoveLeftovers() const {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (fs::recursive_directory_iterator it(path(), error), end; !error && it != end; it.increment(error)) {
    if (!IsLeftover(it->path().lexically_relative(path()))) continue;
    leftovers.push_back(it->path());
    it.disable_recursion_pending();
  }
  for (const fs::path& leftover : leftovers) fs::remove_all(leftover, error);
  if (error) return Fail(ErrorCode::kInternal, "{}: {}", path().string(), error.message());
  return {};
}

Result<WriteGuard> WriteGuard::Take(const GitRepository& repository) {
  auto& internals = repository.internals();
  const std::lock_guard lock(internals.mutex);
  if (internals.dropping) {
    return Fail(ErrorCode::kUnavailable, "{} is being tidied up: try again in a moment", repository.name());
  }
  internals.writing++;
  return WriteGuard(repository.shared_from_this());
}

void WriteGuard::Release() {
  if (repository_ == nullptr) return;
  {
    const std::lock_guard lock(repository_->internals().mutex);
    repository_->internals().writing--;
  }
  repository_.reset();
}

Result<DropGuard> DropGuard::Take(GitRepository& repository) {
  auto& internals = repository.internals();
  const std::lock_guard lock(internals.mutex);
  if (internals.dropping || internals.writing > 0) {
    return Fail(ErrorCode::kUnavailable, "{} is being written to: try again later", repository.name());
  }
  internals.dropping = true;
  return DropGuard(repository);
}

void DropGuard::Release() {
  if (repository_ == nullptr) return;
  auto& internals = repository_->internals();
  const std::lock_guard lock(internals.mutex);
  internals.dropping = false;
  internals.generation++;
  HandlePool::Shared().Drop(&internals);
}

}  // namespace bothy::git
