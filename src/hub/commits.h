// A commit that a client sends line by line: checked while it comes, and made whole at its end or not at all.
//
//   auto upload = TRY(CommitUpload::Begin(repositories, content, actor, repository, {.revision = "main"}));
//   TRY(upload->Add(bytes)); ...
//   const CommitOutcome outcome = TRY(upload->Finish());
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/actor.h"
#include "hub/commit_lines.h"
#include "hub/large_content.h"
#include "hub/repositories.h"
#include "hub/repository_content.h"
#include "store/git/commit_session.h"

namespace bothy {

// What clients recognise a stale parentCommit by.
inline constexpr std::string_view kBranchWasUpdated =
    "The branch was updated since you opened this page. Please refresh and try again.";
inline constexpr std::string_view kFileDoesNotExist = "A file with this name doesn't exist";

struct CommitTarget {
  std::string revision = "main";  // a branch, or "refs/pr/7"
  bool create_pull_request = false;
};

struct CommitOutcome {
  git::Oid commit;
  std::optional<git::Oid> parent;
  std::optional<int64_t> pull_request;  // the number of the new one
};

class CommitUpload {  // one thread at a time
 public:
  // kNotFound: there is no such branch to commit to (or to begin a pull request from).
  static Result<std::unique_ptr<CommitUpload>> Begin(Repositories& repositories, const LargeContent& content,
                                                     const Actor& actor, const Repository& repository,
                                                     const CommitTarget& target);
  ~CommitUpload();  // without Finish: as if it had never been
  CommitUpload(const CommitUpload&) = delete;
  CommitUpload& operator=(const CommitUpload&) = delete;

  // kCorrupt: the text is no commit. kInvalidArgument: a path that no repository can hold, or a file where a folder is.
  // kNotFound: what is to be deleted or copied is not there, or content that the sender may not name.
  // kFailedPrecondition, with kBranchWasUpdated: the parent that the header names is not where the branch is; and only
  // then. kResourceExhausted over a limit, kUnavailable while the repository is tidied up.
  Result<void> Add(std::string_view bytes);

  // The same errors, and again the one with which Add has failed. Durable when it returns, with all that it refers to.
  Result<CommitOutcome> Finish();

 private:
  CommitUpload(Repositories& repositories, const LargeContent& content, const Actor& actor,
               const Repository& repository);

  Result<void> Resolve(const CommitTarget& target);
  Result<void> Take(const CommitLine& line);
  Result<void> Start(const CommitHeader& header);
  Result<void> StartPullRequest(const std::optional<git::Oid>& parent);
  Result<void> Put(const AddedFile& file);
  Result<void> Put(const AddedLargeFile& file);
  Result<void> PutPointer(const git::RepoPath& path, const std::string& sha256, std::optional<uint64_t> size);
  Result<void> Delete(std::string_view path, bool only_folder);
  Result<void> Copy(const CopiedFile& file);

  Repositories& repositories_;
  const LargeContent& content_;
  const Actor actor_;
  const Repository repository_;
  std::shared_ptr<git::GitRepository> git_;
  std::string ref_;               // that gets the commit
  std::optional<git::Oid> head_;  // of the branch that it begins from
  bool create_pull_request_ = false;
  std::optional<int64_t> pull_request_;
  bool finished_ = false;
  std::optional<Error> failure_;
  CommitLineReader reader_;
  std::unique_ptr<git::CommitSession> session_;  // from the header on
  std::vector<ReferredFile> referred_;
  int64_t git_bytes_ = 0;
};

// Notes that a branch has moved: the event, and when the repository was changed last. What is committed stays so where
// this fails, so it only logs.
void RecordPush(Repositories& repositories, const Repository& repository, const Actor& actor, const std::string& ref,
                const std::optional<git::Oid>& before, const std::optional<git::Oid>& after);

}  // namespace bothy
