// A bare git repository on disk. Everything that reads or writes one takes a GitRepository: refs.h (names of commits),
// tree.h (files and folders of a commit), commits.h (history), last_commits.h, diff.h, commit_session.h (writing),
// merge.h, large_files.h, maintenance.h. Values go in and come out; libgit2 stays inside.
//
// Threads: any number may use one GitRepository at once. A branch moves under a lock of the repository in this process
// and by compare-and-swap against other processes (git receive-pack).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/git/oid.h"

namespace bothy::git {

inline constexpr std::string_view kDefaultBranch = "main";
inline constexpr std::string_view kTemporaryPrefix = ".bothy-";

class GitRepository : public std::enable_shared_from_this<GitRepository> {
 public:
  // Makes an empty repository whose HEAD names `default_branch`. It appears at `path` whole or not at all.
  // kAlreadyExists where something is there.
  static Result<std::shared_ptr<GitRepository>> Create(const std::filesystem::path& path,
                                                       std::string_view default_branch = kDefaultBranch);

  // All that open one path in this process share one object, which keeps the repository's handles, lock and caches:
  // keep it as long as it is in use. kNotFound where there is no repository.
  static Result<std::shared_ptr<GitRepository>> Open(const std::filesystem::path& path);

  // kUnavailable while a commit or a push is under way there. `Remove` first moves it out of the way, so that the name
  // is free at once. Who still holds a GitRepository of the old path gets errors. What a crash leaves of Create and
  // Remove is a folder beside it whose name begins with kTemporaryPrefix: a server that starts deletes those.
  static Result<void> Rename(const std::filesystem::path& from, const std::filesystem::path& to);
  static Result<void> Remove(const std::filesystem::path& path);

  // Removes what writers that were killed have left: lock files and temporary files. Only for a process that knows that
  // nobody else writes here: a server that starts.
  Result<void> RemoveLeftovers() const;

  ~GitRepository();
  GitRepository(const GitRepository&) = delete;
  GitRepository& operator=(const GitRepository&) = delete;

  const std::filesystem::path& path() const;
  std::string name() const { return path().filename().string(); }  // for messages

  struct Internals;
  Internals& internals() const { return *internals_; }

 private:
  explicit GitRepository(std::unique_ptr<Internals> internals);
  static Result<std::shared_ptr<GitRepository>> OpenLocked(const std::filesystem::path& canonical);

  std::unique_ptr<Internals> internals_;
};

// Held by whoever adds objects before they are reachable (a commit that is being written, a git receive-pack): while
// there is one, nothing unreachable is dropped. Any thread may release it.
class WriteGuard {
 public:
  static Result<WriteGuard> Take(const GitRepository& repository);  // kUnavailable while objects are dropped
  ~WriteGuard() { Release(); }
  WriteGuard(WriteGuard&& other) noexcept : repository_(std::move(other.repository_)) {}
  WriteGuard& operator=(WriteGuard&& other) noexcept {
    if (this != &other) {
      Release();
      repository_ = std::move(other.repository_);
    }
    return *this;
  }

 private:
  explicit WriteGuard(std::shared_ptr<const GitRepository> repository) : repository_(std::move(repository)) {}
  void Release();
  std::shared_ptr<const GitRepository> repository_;
};

// The other side: held while unreachable objects are dropped, or the repository is moved. kUnavailable while anybody
// writes.
class DropGuard {
 public:
  static Result<DropGuard> Take(GitRepository& repository);
  ~DropGuard() { Release(); }
  DropGuard(DropGuard&& other) noexcept : repository_(std::exchange(other.repository_, nullptr)) {}
  DropGuard& operator=(DropGuard&&) = delete;

 private:
  explicit DropGuard(GitRepository& repository) : repository_(&repository) {}
  void Release();
  GitRepository* repository_;
};

// Who wrote something and when.
struct Signature {
  std::string name;
  std::string email;
  int64_t time = 0;        // seconds since 1970
  int offset_minutes = 0;  // of the time zone it is shown in
};

}  // namespace bothy::git
