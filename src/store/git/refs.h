// Names of commits: branches, tags, pull requests, conversions; and from whatever a caller calls a revision to a
// commit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/git/ref_name.h"
#include "store/git/repository.h"

namespace bothy::git {

struct Ref {
  std::string name;     // "refs/heads/main"
  Oid commit;           // of an annotated tag: the commit that it is about
  std::string message;  // of an annotated tag

  std::string_view short_name() const;  // "main", "v1", "7" of "refs/pr/7", "parquet" of "refs/convert/parquet"
};

struct RefList {  // each in the order of its names, pull requests in that of their numbers
  std::vector<Ref> branches;
  std::vector<Ref> tags;
  std::vector<Ref> converts;
  std::vector<Ref> pull_requests;
};

inline constexpr size_t kMinShortOid = 4;

// The full name of a branch or a pull request's ref.
std::string BranchRef(std::string_view branch);
std::string PullRequestRef(uint64_t number);
inline constexpr std::string_view kParquetRef = "refs/convert/parquet";

// The commit that a revision names: 40 hex digits, "HEAD", a branch, a tag, "refs/heads/x", "refs/tags/x", "refs/pr/7",
// "refs/convert/x", or the beginning of a commit's oid; the first of these that there is. kNotFound means that there is
// no such revision, and nothing else; a beginning that several objects share is kInvalidArgument.
Result<Oid> Resolve(const GitRepository& repository, std::string_view revision);

// Refs of other kinds and refs whose objects are missing are left out.
Result<RefList> ListRefs(const GitRepository& repository);
Result<std::string> DefaultBranch(const GitRepository& repository);  // "main", whether it has a commit yet or not

// What a ref points to, peeled to a commit; nothing where there is no such ref, or it is about a tree or a blob. As
// everywhere here, kCorrupt where it leads to an object that is missing.
Result<std::optional<Oid>> FindRef(const GitRepository& repository, const std::string& ref);

// Whatever makes or moves a ref is kUnavailable while objects are dropped (DropGuard), as its commit may be among them.

// kAlreadyExists where there is one, unless `overwrite`; kNotFound where there is no such commit.
Result<void> CreateBranch(const GitRepository& repository, std::string_view name, const Oid& commit,
                          bool overwrite = false);
// kPermissionDenied for the default branch.
Result<void> DeleteBranch(const GitRepository& repository, std::string_view name);
// Annotated where there is a message.
Result<void> CreateTag(const GitRepository& repository, std::string_view name, const Oid& commit,
                       std::string_view message, const Signature& tagger);
Result<void> DeleteTag(const GitRepository& repository, std::string_view name);
Result<void> CreatePullRequest(const GitRepository& repository, uint64_t number, const Oid& commit);

// Moves a ref by compare-and-swap: `expected` is what it must point to now, nothing that it must not be there.
// kFailedPrecondition means that it was not so, and nothing else.
Result<void> MoveRef(const GitRepository& repository, const std::string& ref, const std::optional<Oid>& expected,
                     const Oid& to);
Result<void> DeleteRef(const GitRepository& repository, const std::string& ref);

}  // namespace bothy::git
