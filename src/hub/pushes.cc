#include "hub/pushes.h"

#include <unordered_set>

#include "hub/commits.h"
#include "hub/rights.h"
#include "store/git/commits.h"
#include "store/git/new_objects.h"
#include "store/git/refs.h"
#include "store/git/repo_path.h"

namespace bothy {
namespace {

constexpr std::string_view kBranches = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";
constexpr std::string_view kPullRequests = "refs/pr/";

// Ends the walk; never seen outside of CheckPush.
constexpr std::string_view kEnough = "enough problems";

class PushCheck {
 public:
  PushCheck(Repositories& repositories, const LargeContent& content, const Actor& actor, const git::GitRepository& git)
      : repositories_(repositories), content_(content), actor_(actor), git_(git) {}

  Result<void> CheckRef(const RefUpdate& update) {
    const std::string_view ref = update.ref;
    if (ref.starts_with(kBranches)) {
      if (!update.after && ref.substr(kBranches.size()) == TRY(git::DefaultBranch(git_))) {
        return Note(fmt::format("{}: the default branch cannot be deleted", ref));
      }
      TRY(CheckName(ref, git::CheckBranchName(ref.substr(kBranches.size()))));
      return CheckTip(update);
    }
    if (ref.starts_with(kTags)) return CheckName(ref, git::CheckTagName(ref.substr(kTags.size())));
    if (ref.starts_with(kPullRequests) && update.before && update.after) return CheckTip(update);
    return Note(
        fmt::format("{}: only branches, tags and pull requests that are there can be pushed", git::Printable(ref)));
  }

  Result<void> CheckBlob(const git::NewBlob& blob, const std::string& ref) {
    if (blob.size > kMaxRegularFileBytes) {
      return Note(
          fmt::format("\"{}\" has {} bytes: files of more than {} bytes have to be in Git LFS "
                      "(git lfs migrate import --above=10MB)",
                      git::Printable(blob.path), blob.size, kMaxRegularFileBytes));
    }
    verdict_.git_bytes += static_cast<int64_t>(blob.size);
    // The same content twice is one question, unless the second pointer lies about its size.
    if (!blob.pointer || !pointers_.insert(git::FormatPointer(*blob.pointer)).second) return {};
    const auto found = TRY(FindNameable(repositories_.database(), content_, actor_, blob.pointer->sha256));
    if (!found || found->size != blob.pointer->size) {
      return Note(
          fmt::format("\"{}\" points to content that has not been uploaded, {} of {} bytes (git lfs push --all)",
                      git::Printable(blob.path), blob.pointer->sha256, blob.pointer->size));
    }
    if (verdict_.referred.size() == PushVerdict::kMaxLargeFiles) {
      return Note(fmt::format("more than {} large files: push them in parts", PushVerdict::kMaxLargeFiles));
    }
    verdict_.referred.push_back({.sha256 = blob.pointer->sha256, .size = found->size, .path = blob.path, .ref = ref});
    return {};
  }

  Result<void> CheckPath(std::string_view path) {
    const auto parsed = git::RepoPath::Parse(path);
    return parsed ? Result<void>() : Note(parsed.error().message);
  }

  PushVerdict Take() { return std::move(verdict_); }

 private:
  // A branch is at a commit; git itself would take a tag or a file.
  Result<void> CheckTip(const RefUpdate& update) {
    if (!update.after || git::ReadCommit(git_, *update.after)) return {};
    return Note(fmt::format("{}: {} is no commit", git::Printable(update.ref), update.after->ToHex()));
  }

  Result<void> CheckName(std::string_view ref, const Result<void>& name) {
    return name ? Result<void>() : Note(fmt::format("{}: {}", git::Printable(ref), name.error().message));
  }

  Result<void> Note(std::string problem) {
    verdict_.problems.push_back(std::move(problem));
    if (verdict_.problems.size() < PushVerdict::kMaxProblems) return {};
    return Fail(ErrorCode::kCancelled, "{}", kEnough);
  }

  Repositories& repositories_;
  const LargeContent& content_;
  const Actor& actor_;
  const git::GitRepository& git_;
  PushVerdict verdict_;
  std::unordered_set<std::string> pointers_;
};

Result<void> CheckAll(PushCheck& check, const git::GitRepository& git, std::span<const RefUpdate> updates) {
  std::vector<git::Oid> tips;
  std::string ref;  // of the first that brings something, for the lists of large files
  for (const RefUpdate& update : updates) {
    TRY(check.CheckRef(update));
    if (!update.after) continue;
    tips.push_back(*update.after);
    if (ref.empty()) ref = update.ref;
  }
  if (tips.empty()) return {};
  return git::ForEachNewObject(git, tips,
                               {.blob = [&](const git::NewBlob& blob) { return check.CheckBlob(blob, ref); },
                                .path = [&](std::string_view path) { return check.CheckPath(path); }});
}

}  // namespace

Result<void> CheckPullRequest(Database& database, const Actor& actor, const FoundRepository& found,
                              std::string_view revision) {
  if (!revision.starts_with(kPullRequests) || Decide(actor, Right::kWriteContent, found.facts) == Verdict::kAllowed) {
    return {};
  }
  // The first who moved it.
  const auto opener = TRY(database.Read([&](Transaction& t) {
    return t.QueryOne<std::optional<int64_t>>(
        "SELECT user_id FROM repository_events WHERE repository_id = $1 AND ref = $2 ORDER BY id LIMIT 1",
        found.repository.id, revision);
  }));
  if (!opener || *opener == actor.user_id) return {};  // what is not there is refused as such
  return Fail(ErrorCode::kPermissionDenied, "{} was opened by somebody else: open a pull request of your own",
              git::Printable(revision));
}

Result<PushVerdict> CheckPush(Repositories& repositories, const LargeContent& content, const Actor& actor,
                              const Repository& repository, std::span<const RefUpdate> updates) {
  const auto git = TRY(repositories.Open(repository));
  PushCheck check(repositories, content, actor, *git);
  const auto checked = CheckAll(check, *git, updates);
  PushVerdict verdict = check.Take();
  if (!checked && verdict.problems.empty()) return tl::unexpected(checked.error());
  return verdict;
}

Result<std::vector<Result<void>>> ApplyPush(Repositories& repositories, const Actor& actor,
                                            const Repository& repository, std::span<const RefUpdate> updates,
                                            const PushVerdict& verdict) {
  CHECK(verdict.problems.empty());
  const auto git = TRY(repositories.Open(repository));
  TRY(AddContent(repositories.database(), repository, {.files = verdict.referred, .git_bytes = verdict.git_bytes},
                 repositories.now()));
  std::vector<Result<void>> results;
  for (const RefUpdate& update : updates) {
    results.push_back(update.after ? git::MoveRef(*git, update.ref, update.before, *update.after)
                                   : git::DeleteRef(*git, update.ref));
    if (results.back()) RecordPush(repositories, repository, actor, update.ref, update.before, update.after);
  }
  return results;
}

}  // namespace bothy
