// Files and folders of a commit: listed page by page, looked up by path, and read. A commit that the repository does
// not hold is kNotFound; a tree or a blob that it names and does not hold is kCorrupt.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "store/git/pointer.h"
#include "store/git/repository.h"

namespace bothy::git {

enum class EntryKind : uint8_t { kFile, kFolder, kLink, kSubmodule };

struct Entry {
  std::string path;  // from the root; may be anything that somebody has pushed
  EntryKind kind = EntryKind::kFile;
  bool executable = false;
  Oid oid;
  uint64_t size = 0;               // of the blob; 0 for folders and submodules
  std::optional<Pointer> pointer;  // where the blob is a pointer: the large file that it stands for

  uint64_t content_size() const { return pointer ? pointer->size : size; }
};

inline constexpr size_t kMaxListLimit = 10'000;

struct ListOptions {
  std::string folder;  // "" for the root
  bool recursive = false;
  std::string cursor;   // of the page before; "" for the first
  size_t limit = 1000;  // entries of a page, at most kMaxListLimit
};

struct EntryPage {
  std::vector<Entry> entries;
  std::string cursor;  // of the next page; "" where this is the last
};

// In git's order, with `recursive` each folder before what it holds. kNotFound where there is no such folder.
Result<EntryPage> ListTree(const GitRepository& repository, const Oid& commit, const ListOptions& options);

// The entries of those paths that there are, in the order asked for.
Result<std::vector<Entry>> FindEntries(const GitRepository& repository, const Oid& commit,
                                       std::span<const std::string> paths);
Result<std::optional<Entry>> FindEntry(const GitRepository& repository, const Oid& commit, const std::string& path);

// The content of a blob that an entry names. kResourceExhausted where it is larger than `limit`; it is in memory whole.
Result<std::string> ReadBlob(const GitRepository& repository, const Oid& blob, uint64_t limit);
Result<std::unique_ptr<ByteSource>> OpenBlob(const GitRepository& repository, const Oid& blob, uint64_t limit);

// A blob of any size, piece by piece in bounded memory: what is larger than kMaxBlobInMemory comes through the git
// program, as libgit2 cannot inflate part of an object of a pack.
inline constexpr uint64_t kMaxBlobInMemory = 16 << 20;
Result<void> StreamBlob(const GitRepository& repository, const Oid& blob,
                        const std::function<Result<void>(std::string_view)>& consume);

}  // namespace bothy::git
