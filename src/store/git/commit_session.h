// Writing a commit: operations stream in one after another, contents go to disk as they come, and at the end the branch
// moves to the new commit or nothing has happened.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/git/pointer.h"
#include "store/git/repo_path.h"
#include "store/git/repository.h"

namespace bothy::git {

struct CommitOptions {
  std::string ref;  // "refs/heads/main", "refs/pr/7"
  // The commit that the caller believes the branch to be at. Where it is not, the commit is refused; without one the
  // operations are applied to wherever the branch is at the end, so that two writers both succeed.
  std::optional<Oid> expected_parent;
  bool create_ref = false;  // a branch without a commit gets its first; else that is kNotFound
  bool allow_empty = true;  // makes a commit where nothing changes
  Signature author;
  Signature committer;
  std::string message;  // summary, empty line, description
};

struct CommitResult {
  Oid commit;
  std::optional<Oid> parent;
  bool made = true;  // false: nothing changed and allow_empty is false; `commit` is where the branch is
};

// Summary and description as one message, as git wants it.
std::string CommitMessage(std::string_view summary, std::string_view description);

// A contents' stream for a file whose size is known before.
class BlobStream {
 public:
  ~BlobStream();
  BlobStream(const BlobStream&) = delete;
  BlobStream& operator=(const BlobStream&) = delete;
  Result<void> Write(std::string_view bytes);
  Result<Oid> Finish();  // kInvalidArgument where it got another number of bytes than it was opened for

 private:
  friend class CommitSession;
  struct Stream;
  explicit BlobStream(std::unique_ptr<Stream> stream);
  std::unique_ptr<Stream> stream_;
};

class CommitSession {  // one thread at a time
 public:
  // A file's content may be this large in one piece; larger ones are streamed.
  static constexpr size_t kMaxPutBytes = 64 << 20;

  // kNotFound where the branch has no commit and none is to be made; kFailedPrecondition where it is not at the
  // expected parent, and only then; kUnavailable while the repository is tidied up.
  static Result<std::unique_ptr<CommitSession>> Begin(std::shared_ptr<GitRepository> repository, CommitOptions options);
  ~CommitSession();  // without Finish: as if it had never been

  // A file that is there keeps its mode. kInvalidArgument where a file would have to be a folder too.
  Result<Oid> PutFile(const RepoPath& path, std::string_view bytes);
  Result<void> PutBlob(const RepoPath& path, const Oid& blob);  // kNotFound where the repository has no such blob
  Result<Oid> PutPointer(const RepoPath& path, const Pointer& pointer);
  Result<std::unique_ptr<BlobStream>> StreamBlob(uint64_t size);  // to be named by PutBlob afterwards

  // A file or a folder, as the clients' deletedFile means either. kNotFound where there is none, in the branch with
  // what came before in this commit.
  Result<void> Delete(const RepoPath& path);
  Result<void> DeleteFolder(const RepoPath& path);  // kNotFound for a file

  // A file or folder of a commit of this repository. kNotFound where it has none there.
  Result<void> Copy(const Oid& commit, const std::string& from, const RepoPath& to);

  // kFailedPrecondition: the branch is no more at the expected parent, and only then. Durable when it returns.
  Result<CommitResult> Finish();

  const std::optional<Oid>& head() const;  // what the branch was at when the session began

 private:
  struct State;
  explicit CommitSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// One commit without a parent that holds what `ref` holds takes the place of its history. kFailedPrecondition where the
// branch moved meanwhile, and only then.
Result<Oid> SuperSquash(const std::shared_ptr<GitRepository>& repository, const std::string& ref,
                        std::string_view message, const Signature& author);

}  // namespace bothy::git
