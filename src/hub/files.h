// Reading what a revision of a repository holds: the commit that a name stands for, its files and folders with what
// clients want to know of them, and a file's content.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "hub/large_content.h"
#include "hub/repositories.h"
#include "store/git/commits.h"
#include "store/git/tree.h"

namespace bothy {

struct LastCommit {
  git::Oid oid;
  std::string title;
  int64_t time = 0;  // seconds since 1970
};

struct RepositoryEntry {
  std::string path;
  bool is_folder = false;
  git::Oid oid;                           // of git's blob or tree; of a large file, of its pointer
  uint64_t size = 0;                      // of the content
  std::optional<git::Pointer> pointer;    // of a large file
  uint64_t pointer_size = 0;              // bytes of the pointer itself
  std::optional<std::string> xet_hash;    // of a large file whose content is there, and that may be had here
  std::optional<LastCommit> last_commit;  // where asked for, and found in time

  // What downloads name it by: the same everywhere for the same content.
  std::string ETag() const { return pointer ? pointer->sha256 : oid.ToHex(); }
};

struct TreeOptions {
  static constexpr size_t kMaxLimit = 1000;
  static constexpr size_t kMaxExpandedLimit = 100;

  std::string folder;
  bool recursive = false;
  bool expand = false;  // with last commits
  std::string cursor;
  size_t limit = kMaxLimit;  // or kMaxExpandedLimit: what is larger is cut down to it
};

struct TreePage {
  std::vector<RepositoryEntry> entries;
  std::string cursor;  // of the next page; "" where this is the last
};

// The files of one repository; database and `content` must outlive it. Safe to use from several threads.
class RepositoryFiles {
 public:
  static constexpr size_t kMaxPaths = 1000;  // asked for at once
  // For last commits of one page: the search goes through the history, which may be long.
  static constexpr std::chrono::milliseconds kLastCommitBudget{2000};

  static Result<RepositoryFiles> Open(const Repositories& repositories, const Repository& repository,
                                      const LargeContent& content);

  const git::GitRepository& git() const { return *git_; }

  // kNotFound: there is no such revision, and nothing else.
  Result<git::Oid> Resolve(std::string_view revision) const;

  // kNotFound: there is no such file, and nothing else. Folders are none, nor are pointers to content that no commit of
  // this repository refers to: to what was removed for good, or what somebody has pushed and was refused.
  Result<RepositoryEntry> FindFile(const git::Oid& commit, std::string_view path) const;

  // kNotFound where there is no such folder.
  Result<TreePage> ListTree(const git::Oid& commit, const TreeOptions& options) const;

  // Of those paths that there are, in the order asked for. kResourceExhausted for more than kMaxPaths.
  Result<std::vector<RepositoryEntry>> FindPaths(const git::Oid& commit, std::span<const std::string> paths,
                                                 bool expand) const;

  // The content of a file: of a large one where it lies, of another in memory, kResourceExhausted over `limit`.
  // kNotFound where a large file's content is not there. `file` is one that this gave.
  Result<std::unique_ptr<ByteSource>> Open(const RepositoryEntry& file, uint64_t limit) const;

  // A whole file of at most `limit` bytes as text; nothing where there is none, it is larger, or its content is not
  // there: for what is only looked at where it can be.
  Result<std::optional<std::string>> ReadSmall(const git::Oid& commit, std::string_view path, uint64_t limit) const;

  // The bytes of all files of a commit, or of a folder; kNotFound where there is no such folder.
  Result<uint64_t> TreeSize(const git::Oid& commit, const std::string& folder) const;

 private:
  RepositoryFiles(Database& database, const Repository& repository, std::shared_ptr<git::GitRepository> git,
                  const LargeContent& content)
      : database_(&database), repository_(repository), git_(std::move(git)), content_(&content) {}

  Result<std::vector<RepositoryEntry>> Describe(std::vector<git::Entry> entries) const;
  Result<void> AddLastCommits(const git::Oid& commit, std::vector<RepositoryEntry>& entries) const;

  Database* database_;
  Repository repository_;
  std::shared_ptr<git::GitRepository> git_;
  const LargeContent* content_;
};

}  // namespace bothy
