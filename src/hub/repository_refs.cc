#include "hub/repository_refs.h"

#include "hub/commits.h"
#include "store/git/commit_session.h"
#include "store/git/merge.h"
#include "store/git/new_objects.h"
#include "store/git/repo_path.h"

namespace bothy {
namespace {

tl::unexpected<Error> RefExists(std::string_view ref) {
  return Fail(ErrorCode::kAlreadyExists, "Reference {} already exists", ref);
}

std::string TagRef(std::string_view tag) { return fmt::format("refs/tags/{}", tag); }

}  // namespace

Result<RepositoryRefs> RepositoryRefs::Open(Repositories& repositories, const Repository& repository) {
  return RepositoryRefs(repositories, repository, TRY(repositories.Open(repository)));
}

Result<git::Oid> RepositoryRefs::Resolve(std::string_view revision) const { return git::Resolve(*git_, revision); }

// A ref on what was pushed and refused would make it part of the repository after all.
Result<git::Oid> RepositoryRefs::ResolveReachable(std::string_view revision) const {
  const git::Oid commit = TRY(Resolve(revision));
  if (TRY(git::IsReachable(*git_, commit))) return commit;
  return Fail(ErrorCode::kNotFound, "there is no revision \"{}\"", git::Printable(revision));
}

Result<git::RefList> RepositoryRefs::List() const { return git::ListRefs(*git_); }

Result<git::HistoryPage> RepositoryRefs::History(const git::Oid& from, const git::HistoryOptions& options) const {
  return git::ListCommits(*git_, from, options);
}

Result<uint64_t> RepositoryRefs::CountHistory(const git::Oid& from) const { return git::CountCommits(*git_, from); }

Result<Comparison> RepositoryRefs::Compare(std::string_view range, const git::DiffLimits& limits) const {
  const size_t dots = range.find("..");
  if (dots == std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "\"{}\" is neither a..b nor a...b", git::Printable(range));
  }
  const bool from_parting = range.substr(dots, 3) == "...";
  Comparison comparison{.before = TRY(Resolve(range.substr(0, dots))),
                        .after = TRY(Resolve(range.substr(dots + (from_parting ? 3 : 2))))};
  std::optional<git::Oid> before = comparison.before;
  if (from_parting) {
    before = TRY(git::CommonAncestor(*git_, comparison.before, comparison.after));
    comparison.before = before.value_or(git::Oid{});
  }
  comparison.changes = TRY(git::CompareCommits(*git_, before, comparison.after));
  comparison.diff = TRY(git::FormatDiff(*git_, comparison.changes.changes, limits));
  return comparison;
}

Result<void> RepositoryRefs::CreateBranch(const Actor& actor, const NewBranch& branch) {
  TRY(git::CheckBranchName(branch.name));
  const std::string ref = git::BranchRef(branch.name);
  const auto before = TRY(git::FindRef(*git_, ref));
  if (before && !branch.overwrite) return RefExists(ref);
  if (branch.empty && !before) return CreateEmptyBranch(actor, branch.name);
  const git::Oid start = TRY(ResolveReachable(branch.start ? *branch.start : TRY(git::DefaultBranch(*git_))));
  const auto made = git::CreateBranch(*git_, branch.name, start, branch.overwrite);
  if (!made && made.error().code == ErrorCode::kAlreadyExists) return RefExists(ref);
  if (!made) return made;
  RecordPush(*repositories_, repository_, actor, ref, before, start);
  return {};
}

Result<void> RepositoryRefs::CreateEmptyBranch(const Actor& actor, const std::string& name) {
  git::CommitOptions options{.ref = git::BranchRef(name),
                             .create_ref = true,
                             .author = AuthorOf(actor, repositories_->now()),
                             .message = "initial commit"};
  options.committer = options.author;
  const auto session = TRY(git::CommitSession::Begin(git_, options));
  const auto result = TRY(session->Finish());
  RecordPush(*repositories_, repository_, actor, options.ref, std::nullopt, result.commit);
  return {};
}

Result<void> RepositoryRefs::DeleteBranch(const Actor& actor, const std::string& name) {
  const std::string ref = git::BranchRef(name);
  const auto before = TRY(git::FindRef(*git_, ref));
  const auto deleted = git::DeleteBranch(*git_, name);
  if (!deleted && deleted.error().code == ErrorCode::kPermissionDenied) {
    return Fail(ErrorCode::kPermissionDenied, "Cannot delete {}", ref);
  }
  if (!deleted) return deleted;
  RecordPush(*repositories_, repository_, actor, ref, before, std::nullopt);
  return {};
}

Result<void> RepositoryRefs::CreateTag(const Actor& actor, const std::string& name, std::string_view revision,
                                       std::string_view message) {
  const git::Oid commit = TRY(ResolveReachable(revision));
  const auto made = git::CreateTag(*git_, name, commit, message, AuthorOf(actor, repositories_->now()));
  if (!made && made.error().code == ErrorCode::kAlreadyExists) return RefExists(TagRef(name));
  if (!made) return made;
  RecordPush(*repositories_, repository_, actor, TagRef(name), std::nullopt, commit);
  return {};
}

Result<void> RepositoryRefs::DeleteTag(const Actor& actor, const std::string& name) {
  const auto before = TRY(git::FindRef(*git_, TagRef(name)));
  TRY(git::DeleteTag(*git_, name));
  RecordPush(*repositories_, repository_, actor, TagRef(name), before, std::nullopt);
  return {};
}

Result<git::Oid> RepositoryRefs::SuperSquash(const Actor& actor, const std::string& branch, std::string_view message) {
  TRY(git::CheckBranchName(branch));
  const std::string ref = git::BranchRef(branch);
  const auto before = TRY(git::FindRef(*git_, ref));
  const git::Oid after = TRY(git::SuperSquash(git_, ref, message, AuthorOf(actor, repositories_->now())));
  RecordPush(*repositories_, repository_, actor, ref, before, after);
  return after;
}

}  // namespace bothy
