// What a git push may bring: its objects are in the repository already, unreachable, and become reachable only when all
// of it is as it has to be.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hub/actor.h"
#include "hub/large_content.h"
#include "hub/repositories.h"
#include "hub/repository_content.h"

namespace bothy {

struct RefUpdate {
  std::string ref;
  std::optional<git::Oid> before;  // nothing: it is made
  std::optional<git::Oid> after;   // nothing: it is deleted
};

struct PushVerdict {
  static constexpr size_t kMaxProblems = 20;         // then the rest is not looked at
  static constexpr size_t kMaxLargeFiles = 200'000;  // new ones of one push

  // For the terminal of who has pushed, one a line. Where there is one, nothing of the push is taken.
  std::vector<std::string> problems;
  std::vector<ReferredFile> referred;
  int64_t git_bytes = 0;  // of the other new files
};

// kPermissionDenied where `revision` is a pull request's ref, and the actor neither may write to the repository nor has
// opened it.
Result<void> CheckPullRequest(Database& database, const Actor& actor, const FoundRepository& found,
                              std::string_view revision);

// Refuses: refs other than branches, tags and pull requests that are there; deleting the default branch; files that
// belong outside of git (kMaxRegularFileBytes); pointers to content that is not here or that the actor may not name;
// paths that cannot be had on every system.
Result<PushVerdict> CheckPush(Repositories& repositories, const LargeContent& content, const Actor& actor,
                              const Repository& repository, std::span<const RefUpdate> updates);

// Notes what the verdict found, and moves each ref that is still where the update says (kFailedPrecondition where it is
// not; a ref is deleted wherever it is). One result an update. The verdict must have no problems.
Result<std::vector<Result<void>>> ApplyPush(Repositories& repositories, const Actor& actor,
                                            const Repository& repository, std::span<const RefUpdate> updates,
                                            const PushVerdict& verdict);

}  // namespace bothy
