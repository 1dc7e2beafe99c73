// Which large files the commits of each repository refer to: the rows that make reading by hash a question of rights,
// count what a repository uses, and say what garbage collection has to keep.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "hub/actor.h"
#include "hub/large_content.h"
#include "hub/repository.h"
#include "store/database/database.h"
#include "store/git/repository.h"

namespace bothy {

struct ReferredFile {
  std::string sha256;
  uint64_t size = 0;
  std::string path;  // where it was met first
  std::string ref;   // and in which branch or other ref; "" where none leads to it any more
};

// What a commit or a push brings to a repository.
struct NewContent {
  std::span<const ReferredFile> files;  // the large ones that it refers to
  int64_t git_bytes = 0;                // of the others
};

// Bytes of those that the repository does not refer to yet; INT64_MAX where they are more.
Result<int64_t> BytesOfNew(Database& database, const Repository& repository, std::span<const ReferredFile> files);

// Before the commit that refers to them becomes reachable, so that no commit refers to what may be collected.
// kPermissionDenied, and the commit must not be made, where its namespace would have more than its quota.
Result<void> AddContent(Database& database, const Repository& repository, const NewContent& content, Timestamp now);

// For repair: what is there already, whatever the quota.
Result<void> ListContent(Database& database, const Repository& repository, std::span<const ReferredFile> files,
                         Timestamp now);

// Those of `sha256s` that a commit of this repository refers to: what may be downloaded there. A pointer in git is not
// enough, as the objects of a refused push lie there too.
Result<std::unordered_set<std::string>> ReferredAmong(Database& database, const Repository& repository,
                                                      std::span<const std::string> sha256s);
Result<bool> RefersTo(Database& database, const Repository& repository, const std::string& sha256);
// The size that its pointer says; nothing where none refers to it.
Result<std::optional<uint64_t>> ReferredSize(Database& database, const Repository& repository,
                                             const std::string& sha256);

// Whether the actor may read content of this hash through some repository.
Result<bool> MayReadContent(Database& database, const Actor& actor, const std::string& sha256);

// Whether a commit of the actor may point to it: the content is there, and they have sent it or may read it. What they
// may not know of is answered as what is not there: nothing.
Result<std::optional<LargeFile>> FindNameable(Database& database, const LargeContent& content, const Actor& actor,
                                              const std::string& sha256);

// Those of `sha256s` that no repository refers to, in their order.
Result<std::vector<std::string>> Unreferred(Database& database, std::span<const std::string> sha256s);

// Those of `sha256s` that were removed from the repository for good, though its history may still point to them.
Result<std::unordered_set<std::string>> RemovedAmong(Database& database, const Repository& repository,
                                                     std::span<const std::string> sha256s);

// Makes the rows anew from what the git repository holds, for repair: what a ref leads to gets its row, unless it was
// removed for good, and of the others those stay whose pointers are still there. kUnavailable while anybody writes
// there; writers get kUnavailable meanwhile.
Result<void> RebuildContent(Database& database, const Repository& repository, git::GitRepository& git, Timestamp now);

// The half of it that removes, after history was dropped from the repository: how many rows went. The guard is the
// caller's.
Result<uint64_t> ForgetDroppedContent(Database& database, const Repository& repository, const git::GitRepository& git,
                                      const git::DropGuard& guard);

}  // namespace bothy
