// Merging a commit (a pull request's) into a branch: file by file from the common ancestor, so that its cost is that of
// the changes and not of the repository.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/git/repository.h"

namespace bothy::git {

struct MergeOptions {
  std::string into;  // "refs/heads/main"
  Oid from;
  bool fast_forward = true;  // just move the branch where it has nothing of its own
  Signature author;
  Signature committer;
  std::string message;
};

struct MergeResult {
  std::optional<Oid> commit;           // where the branch is now; nothing where there are conflicts
  std::vector<std::string> conflicts;  // paths that both sides changed and that cannot be put together
};

// kNotFound where there is no such branch or commit, kFailedPrecondition where the two have no history in common,
// kUnavailable where others write all the time.
Result<MergeResult> Merge(const std::shared_ptr<GitRepository>& repository, const MergeOptions& options);

// The conflicts that Merge would find, without doing anything.
Result<std::vector<std::string>> FindConflicts(const GitRepository& repository, const Oid& into, const Oid& from);

// The last commit that both have; nothing where they have none.
Result<std::optional<Oid>> CommonAncestor(const GitRepository& repository, const Oid& a, const Oid& b);

}  // namespace bothy::git
