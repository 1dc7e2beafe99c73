#include "hub/commits.h"

#include <charconv>

#include "base/log.h"
#include "hub/repository_rows.h"
#include "store/git/new_objects.h"
#include "store/git/refs.h"

namespace bothy {
namespace {

constexpr std::string_view kPullRequestPrefix = "refs/pr/";
constexpr std::string_view kBranchPrefix = "refs/heads/";

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

// The ref that a commit to `revision` moves; kNotFound for what is no name of one, as a commit's or a tag's.
Result<std::string> RefToMove(std::string_view revision) {
  const auto nothing = [&] {
    return Fail(ErrorCode::kNotFound, "there is no branch \"{}\" to commit to", git::Printable(revision));
  };
  if (revision.starts_with(kPullRequestPrefix)) {
    const std::string_view digits = revision.substr(kPullRequestPrefix.size());
    uint64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return nothing();
    return git::PullRequestRef(number);
  }
  std::string_view branch = revision;
  if (branch.starts_with(kBranchPrefix)) branch.remove_prefix(kBranchPrefix.size());
  if (!git::CheckBranchName(branch)) return nothing();
  return git::BranchRef(branch);
}

// kNotFound for what has been pushed and refused: its pointers are to whatever somebody liked to name.
Result<void> CheckReachable(const git::GitRepository& git, const git::Oid& commit) {
  if (TRY(git::IsReachable(git, commit))) return {};
  return Fail(ErrorCode::kNotFound, "there is no commit {}", commit.ToHex());
}

// In the words that clients know.
Error InClientsWords(Error error) {
  if (error.code == ErrorCode::kFailedPrecondition) error.message = kBranchWasUpdated;
  return error;
}

}  // namespace

CommitUpload::CommitUpload(Repositories& repositories, const LargeContent& content, const Actor& actor,
                           const Repository& repository)
    : repositories_(repositories),
      content_(content),
      actor_(actor),
      repository_(repository),
      reader_([this](const CommitLine& line) { return Take(line); }) {}

CommitUpload::~CommitUpload() {
  session_.reset();
  if (finished_ || !pull_request_) return;
  // Its number stays a gap.
  const auto deleted = git::DeleteRef(*git_, ref_);
  if (!deleted) Log(LogLevel::kWarning, "ref_not_deleted", {{"repository", git_->name()}, {"error", deleted.error()}});
}

Result<std::unique_ptr<CommitUpload>> CommitUpload::Begin(Repositories& repositories, const LargeContent& content,
                                                          const Actor& actor, const Repository& repository,
                                                          const CommitTarget& target) {
  std::unique_ptr<CommitUpload> upload(new CommitUpload(repositories, content, actor, repository));
  TRY(upload->Resolve(target));
  return upload;
}

Result<void> CommitUpload::Resolve(const CommitTarget& target) {
  git_ = TRY(repositories_.Open(repository_));
  ref_ = TRY(RefToMove(target.revision));
  create_pull_request_ = target.create_pull_request;
  head_ = TRY(git::FindRef(*git_, ref_));
  // Only the default branch may get its first commit here: somebody has pushed nothing yet.
  const bool first = !create_pull_request_ && ref_ == git::BranchRef(TRY(git::DefaultBranch(*git_)));
  if (head_ || first) return {};
  return Fail(ErrorCode::kNotFound, "there is no branch \"{}\" to commit to", git::Printable(target.revision));
}

Result<void> CommitUpload::Add(std::string_view bytes) {
  if (failure_) return tl::unexpected(*failure_);
  auto added = reader_.Add(bytes);
  if (added) return {};
  failure_ = InClientsWords(std::move(added).error());
  return tl::unexpected(*failure_);
}

Result<void> CommitUpload::Take(const CommitLine& line) {
  return std::visit(Overloaded{[&](const CommitHeader& header) { return Start(header); },
                               [&](const AddedFile& file) { return Put(file); },
                               [&](const AddedLargeFile& file) { return Put(file); },
                               [&](const DeletedFile& file) { return Delete(file.path, /*only_folder=*/false); },
                               [&](const DeletedFolder& folder) { return Delete(folder.path, /*only_folder=*/true); },
                               [&](const CopiedFile& file) { return Copy(file); }},
                    line);
}

Result<void> CommitUpload::Start(const CommitHeader& header) {
  std::optional<git::Oid> parent;
  if (header.parent) {
    parent = git::Oid::FromHex(*header.parent);
    if (!parent) return Fail(ErrorCode::kCorrupt, "\"parentCommit\" is not 40 hex digits");
  }
  if (create_pull_request_) {
    TRY(StartPullRequest(parent));
    parent = head_;
  }
  git::CommitOptions options{.ref = ref_,
                             .expected_parent = parent,
                             .create_ref = !head_,
                             .author = AuthorOf(actor_, repositories_.now()),
                             .message = git::CommitMessage(header.summary, header.description)};
  options.committer = options.author;
  session_ = TRY(git::CommitSession::Begin(git_, std::move(options)));
  return {};
}

// Its ref begins at the branch, or at the commit before that the client names.
Result<void> CommitUpload::StartPullRequest(const std::optional<git::Oid>& parent) {
  if (parent) {
    TRY(CheckReachable(*git_, *parent));
    head_ = parent;
  }
  const int64_t number = TRY(repositories_.TakeNumber(repository_));
  ref_ = git::PullRequestRef(static_cast<uint64_t>(number));
  TRY(git::CreatePullRequest(*git_, static_cast<uint64_t>(number), *head_));
  pull_request_ = number;
  return {};
}

Result<void> CommitUpload::Put(const AddedFile& file) {
  const git::RepoPath path = TRY(git::RepoPath::Parse(file.path));
  // Written out, a pointer is a pointer all the same: it gives what it names to whoever may read the repository.
  if (const auto pointer = git::ParsePointer(file.content)) return PutPointer(path, pointer->sha256, pointer->size);
  TRY(session_->PutFile(path, file.content));
  git_bytes_ += static_cast<int64_t>(file.content.size());
  return {};
}

Result<void> CommitUpload::Put(const AddedLargeFile& file) {
  const git::RepoPath path = TRY(git::RepoPath::Parse(file.path));
  return PutPointer(path, file.sha256, file.size);
}

Result<void> CommitUpload::PutPointer(const git::RepoPath& path, const std::string& sha256,
                                      std::optional<uint64_t> size) {
  const auto found = TRY(FindNameable(repositories_.database(), content_, actor_, sha256));
  if (!found) {
    return Fail(ErrorCode::kNotFound, "\"{}\": the content {} has not been uploaded", git::Printable(path.text()),
                sha256);
  }
  if (size && *size != found->size) {
    return Fail(ErrorCode::kInvalidArgument, "\"{}\": the content {} has {} bytes, not {}", git::Printable(path.text()),
                sha256, found->size, *size);
  }
  TRY(session_->PutPointer(path, {.sha256 = sha256, .size = found->size}));
  referred_.push_back({.sha256 = sha256, .size = found->size, .path = path.text(), .ref = ref_});
  return {};
}

Result<void> CommitUpload::Delete(std::string_view path, bool only_folder) {
  while (path.ends_with('/')) path.remove_suffix(1);  // clients name folders so
  const git::RepoPath parsed = TRY(git::RepoPath::Parse(path));
  auto deleted = only_folder ? session_->DeleteFolder(parsed) : session_->Delete(parsed);
  if (!deleted && deleted.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kNotFound, "{}: \"{}\"", kFileDoesNotExist, git::Printable(path));
  }
  return deleted;
}

Result<void> CommitUpload::Copy(const CopiedFile& file) {
  const git::RepoPath to = TRY(git::RepoPath::Parse(file.path));
  const auto from = file.revision ? std::optional(TRY(git::Resolve(*git_, *file.revision))) : session_->head();
  if (from && file.revision) TRY(CheckReachable(*git_, *from));
  if (!from) return Fail(ErrorCode::kNotFound, "{}: \"{}\"", kFileDoesNotExist, git::Printable(file.from));
  return session_->Copy(*from, file.from, to);
}

Result<CommitOutcome> CommitUpload::Finish() {
  if (failure_) return tl::unexpected(*failure_);
  const auto read = reader_.Finish();
  if (!read) return tl::unexpected(InClientsWords(read.error()));
  TRY(AddContent(repositories_.database(), repository_, {.files = referred_, .git_bytes = git_bytes_},
                 repositories_.now()));
  const auto result = session_->Finish();
  if (!result) return tl::unexpected(InClientsWords(result.error()));
  finished_ = true;
  RecordPush(repositories_, repository_, actor_, ref_, result->parent, result->commit);
  return CommitOutcome{.commit = result->commit, .parent = result->parent, .pull_request = pull_request_};
}

void RecordPush(Repositories& repositories, const Repository& repository, const Actor& actor, const std::string& ref,
                const std::optional<git::Oid>& before, const std::optional<git::Oid>& after) {
  const Timestamp now = repositories.now();
  const auto hex = [](const std::optional<git::Oid>& oid) { return oid ? std::optional(oid->ToHex()) : std::nullopt; };
  const auto recorded = repositories.database().Write([&](Transaction& t) -> Result<void> {
    TRY(t.Execute("UPDATE repositories SET updated_at = $1 WHERE id = $2", now, repository.id));
    return RecordEvent(t, now, repository, actor.user_id,
                       {.action = "push", .ref = ref, .old_oid = hex(before), .new_oid = hex(after)});
  });
  if (!recorded) {
    Log(LogLevel::kError, "push_not_recorded", {{"repository", repository.folder}, {"error", recorded.error()}});
  }
}

}  // namespace bothy
