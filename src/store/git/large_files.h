// The large files that a repository points to, for garbage collection and for lists. Memory is bounded whatever the
// repository holds: the git program walks, and what it finds streams through.
#pragma once

#include <functional>
#include <string>

#include "store/git/pointer.h"
#include "store/git/repository.h"

namespace bothy::git {

struct StoredPointer {
  Oid blob;
  Pointer pointer;
};

// Every pointer that the repository holds, whether a ref leads to it or not: what a garbage collection has to keep, as
// an unreachable commit can become reachable again until git has dropped it (maintenance.h).
Result<void> ForEachStoredPointer(const GitRepository& repository,
                                  const std::function<Result<void>(const StoredPointer&)>& consume);

// Those that any ref leads to, now or in its history. Each blob once.
Result<void> ForEachReachablePointer(const GitRepository& repository,
                                     const std::function<Result<void>(const StoredPointer&)>& consume);

struct LargeFile {
  Oid blob;
  Pointer pointer;
  std::string path;  // where it was met first
  std::string ref;   // the first ref that leads to it: the default branch, else in the order of ListRefs
};

// As ForEachReachablePointer, with a name for each.
Result<void> ForEachLargeFile(const GitRepository& repository,
                              const std::function<Result<void>(const LargeFile&)>& consume);

}  // namespace bothy::git
