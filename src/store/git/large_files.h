// The large files that a repository points to, for garbage collection and for lists. The git program walks, and what it
// finds streams through: memory grows with refs and parallel branches, not with files or history.
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
  std::string ref;   // the default branch where that leads to it, else one that does
};

// As ForEachReachablePointer, with a name for each. Two walks whatever the number of refs.
Result<void> ForEachLargeFile(const GitRepository& repository,
                              const std::function<Result<void>(const LargeFile&)>& consume);

}  // namespace bothy::git
