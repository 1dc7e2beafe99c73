// History without some blobs: every commit that held one is made anew without it, and so are all that follow.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "store/git/repository.h"

namespace bothy::git {

struct RewrittenRef {
  std::string ref;
  Oid before;  // what it pointed to, of an annotated tag the tag
  Oid after;
};

// Moves all refs together or none of them. A commit before the first that held such a blob keeps its oid; signatures
// of rewritten ones are lost. The caller holds a DropGuard, so that nobody writes; the old commits stay until
// DropUnreachable.
Result<std::vector<RewrittenRef>> RemoveBlobs(GitRepository& repository, const DropGuard& guard,
                                              const std::unordered_set<Oid>& blobs);

}  // namespace bothy::git
