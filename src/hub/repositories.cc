#include "hub/repositories.h"

#include <utility>

#include "base/log.h"
#include "hub/names.h"
#include "hub/repository_busy.h"
#include "hub/repository_folder.h"
#include "hub/repository_rows.h"
#include "hub/repository_template.h"
#include "hub/usage.h"
#include "store/git/commit_session.h"
#include "store/git/git_process.h"
#include "store/git/refs.h"

namespace bothy {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kInitialMessage = "initial commit";

Result<std::vector<FoundRepository>> QueryFor(Database& database, const Statement& statement) {
  return database.Read([&](Transaction& t) { return QueryRepositories(t, statement); });
}

std::optional<FoundRepository> First(std::vector<FoundRepository> found) {
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

}  // namespace

git::Signature AuthorOf(const Actor& actor, Timestamp now) {
  const std::string name = actor.IsNobody() ? "bothy" : actor.name;
  return {.name = name,
          .email = fmt::format("{}@users.noreply.localhost", name),
          .time = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count()};
}

Repositories::Repositories(Database& database, fs::path folder, Clock clock)
    : database_(database), folder_(std::move(folder)), clock_(std::move(clock)) {}

Result<std::optional<FoundRepository>> Repositories::Find(const Actor& actor, RepositoryKind kind,
                                                          std::string_view owner, std::string_view name) const {
  // Whatever else stands in an address names nothing, and may be no text for a database.
  if (!CheckRepositoryName(owner) || !CheckRepositoryName(name)) return std::nullopt;
  const std::string owner_key = NameKey(owner), key = NameKey(name);
  Statement direct = SelectRepositories(actor);
  direct.Add(" AND repositories.kind = $1 AND namespaces.key = $2 AND repositories.key = $3", KindName(kind), owner_key,
             key);
  if (auto found = First(TRY(QueryFor(database_, direct)))) return found;
  Statement moved = SelectRepositories(actor);
  moved.Add(
      " AND repositories.id = (SELECT repository_id FROM repository_redirects"
      " WHERE kind = $1 AND namespace_key = $2 AND key = $3)",
      KindName(kind), owner_key, key);
  auto found = First(TRY(QueryFor(database_, moved)));
  if (found) found->moved = true;
  return found;
}

Result<std::optional<FoundRepository>> Repositories::FindById(const Actor& actor, int64_t id) const {
  Statement statement = SelectRepositories(actor);
  statement.Add(" AND repositories.id = $1", id);
  return First(TRY(QueryFor(database_, statement)));
}

Result<Repository> Repositories::Create(const Actor& actor, const NewRepository& repository) {
  if (!IsCardWord(repository.license) || !IsCardWord(repository.space_sdk)) {
    return Fail(ErrorCode::kInvalidArgument, "license and sdk are single words");
  }
  return CreateFilled(actor, repository, [&](const Repository& made, const auto& git) -> Result<void> {
    git::CommitOptions options{.ref = git::BranchRef(git::kDefaultBranch),
                               .create_ref = true,
                               .author = AuthorOf(actor, made.created_at),
                               .message = std::string(kInitialMessage)};
    options.committer = options.author;
    const auto session = TRY(git::CommitSession::Begin(git, options));
    TRY(session->PutFile(TRY(git::RepoPath::Parse(".gitattributes")), InitialAttributes(made.kind)));
    const std::string card = InitialCard(made.kind, made.name, repository.license, repository.space_sdk);
    if (!card.empty()) TRY(session->PutFile(TRY(git::RepoPath::Parse("README.md")), card));
    TRY(session->Finish());
    return {};
  });
}

Result<Repository> Repositories::Duplicate(const Actor& actor, const Repository& source,
                                           const NewRepository& repository) {
  if (!source.mirror_of.empty()) {
    return Fail(ErrorCode::kPermissionDenied,
                "{} is a mirror of {}, whose large files may not be here: a copy would be without them",
                source.FullName(), source.mirror_of);
  }
  const auto from = TRY(Open(source));
  // Keeps the source from being deleted, and its content with it, while this goes on.
  const auto guard = TRY(git::WriteGuard::Take(*from));
  return CreateFilled(actor, repository, [&](const Repository& made, const auto& git) -> Result<void> {
    TRY(git::RunGit(*git,
                    {"fetch", "--quiet", "--no-write-fetch-head", "--end-of-options", from->path().string(),
                     "refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*", "refs/convert/*:refs/convert/*"},
                    {.environment = {"GIT_ALLOW_PROTOCOL=file"}}, [](std::string_view) -> Result<void> { return {}; }));
    const Usage copied = TRY(UsageOf(database_, source));
    // After the fetch: rows come before commits, so the rows of all commits that were fetched are there now.
    return database_.Write([&](Transaction& t) -> Result<void> {
      TRY(
          t.Execute("INSERT INTO repository_content (repository_id, sha256, size, path, ref, added_at)"
                    " SELECT $1, sha256, size, path, ref, $2 FROM repository_content WHERE repository_id = $3",
                    made.id, made.created_at, source.id));
      TRY(AddUsage(t, made, copied));
      return CountLargeFiles(t, made);  // somebody may have committed to the source meanwhile
    });
  });
}

Result<Repository> Repositories::CreateFilled(const Actor& actor, const NewRepository& repository, const Filler& fill) {
  TRY(CheckRepositoryName(repository.name));
  const Busy busy = TRY(Busy::Take(*this, repository.kind, repository.owner_id, repository.name));
  const Timestamp now = clock_();
  const Repository made{.id = TRY(ClaimName(actor, repository, now)),
                        .kind = repository.kind,
                        .owner_id = repository.owner_id,
                        .owner = repository.owner,
                        .name = repository.name,
                        .is_private = repository.is_private,
                        .gating = repository.gating,
                        .creator_id = actor.user_id,
                        .created_at = now,
                        .updated_at = now,
                        .folder = FolderOf(repository.kind, repository.owner, repository.name)};
  auto filled = FillFolder(made, fill);
  if (filled) {
    filled = database_.Write([&](Transaction& t) -> Result<void> {
      TRY(t.Execute("UPDATE repositories SET state = 'ready' WHERE id = $1", made.id));
      return RecordEvent(t, now, made, actor.user_id, {.action = "create"});
    });
  }
  if (filled) return made;
  // Where this fails too, the next one who wants the name or the next start does it.
  if (const auto undone = Undo(made.id, made.folder); !undone) {
    Log(LogLevel::kWarning, "repository_not_undone", {{"repository", made.folder}, {"error", undone.error()}});
  }
  return tl::unexpected(std::move(filled).error());
}

// The id of the new row, whose state is 'creating'.
Result<int64_t> Repositories::ClaimName(const Actor& actor, const NewRepository& repository, Timestamp now) {
  struct Other {
    int64_t id = 0;
    std::string state;
    std::string folder;
  };
  const std::string key = NameKey(repository.name);
  const std::optional<int64_t> creator = actor.user_id == 0 ? std::nullopt : std::optional(actor.user_id);
  for (bool again = false;; again = true) {
    Other other;
    const auto claimed = TRY(database_.Write([&](Transaction& t) -> Result<std::optional<int64_t>> {
      auto id = TRY(t.QueryOne<int64_t>(
          "INSERT INTO repositories (kind, namespace_id, name, key, creator_id, state, folder, private, gated, "
          "disabled,"
          " next_number, created_at, updated_at)"
          " VALUES ($1, $2, $3, $4, $5, 'creating', $6, $7, $8, FALSE, 1, $9, $9)"
          " ON CONFLICT (kind, namespace_id, key) DO NOTHING RETURNING id",
          KindName(repository.kind), repository.owner_id, repository.name, key, creator,
          FolderOf(repository.kind, repository.owner, repository.name), repository.is_private,
          GatingName(repository.gating), now));
      if (id) return id;
      const auto row = TRY((t.QueryOne<int64_t, std::string, std::string>(
          "SELECT id, state, folder FROM repositories WHERE kind = $1 AND namespace_id = $2 AND key = $3",
          KindName(repository.kind), repository.owner_id, key)));
      if (row) other = {std::get<0>(*row), std::get<1>(*row), std::get<2>(*row)};
      return std::nullopt;
    }));
    if (claimed) return *claimed;
    // No call of ours works on the name, so this was left by one that could not reach the database at its end.
    if (again || other.state == "ready") return NameIsTaken(repository.kind, repository.owner, repository.name);
    TRY(Undo(other.id, other.folder));
  }
}

Result<void> Repositories::FillFolder(const Repository& repository, const Filler& fill) {
  const auto git = git::GitRepository::Create(folder_ / repository.folder);
  if (!git && git.error().code == ErrorCode::kAlreadyExists) {
    return Fail(ErrorCode::kInternal, "{} is in the way on the disk, and in no row of the database", repository.folder);
  }
  if (!git) return tl::unexpected(git.error());
  TRY(WriteRepositoryId((*git)->path(), repository.id));
  return fill(repository, *git);
}

// Removes what there is of a repository that never was, or is to be no more.
Result<void> Repositories::Undo(int64_t id, const std::string& folder) {
  Forget(id);
  const fs::path path = folder_ / folder;
  const auto found = ReadRepositoryId(path);
  if (!found || *found == id) {
    const auto removed = git::GitRepository::Remove(path);
    if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
  }
  return database_.Write([&](Transaction& t) -> Result<void> {
    TRY(t.Execute("DELETE FROM repositories WHERE id = $1", id));
    return {};
  });
}

Result<void> Repositories::Delete(const Actor& actor, const Repository& repository) {
  const Busy busy = TRY(Busy::Take(*this, repository.kind, repository.owner_id, repository.name));
  const auto set_state = [&](std::string_view from, std::string_view to) {
    return database_.Write([&](Transaction& t) {
      return t.Execute("UPDATE repositories SET state = $1 WHERE id = $2 AND state = $3", to, repository.id, from);
    });
  };
  if (TRY(set_state("ready", "deleting")) == 0) {
    return Fail(ErrorCode::kNotFound, "{} is not there any more", repository.FullName());
  }
  Forget(repository.id);
  const auto removed = git::GitRepository::Remove(folder_ / repository.folder);
  if (!removed && removed.error().code == ErrorCode::kUnavailable) {
    TRY(set_state("deleting", "ready"));
    return removed;
  }
  if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
  return database_.Write([&](Transaction& t) -> Result<void> {
    TRY(RecordEvent(t, clock_(), repository, actor.user_id, {.action = "delete"}));
    TRY(t.Execute("DELETE FROM repositories WHERE id = $1", repository.id));
    return {};
  });
}

Result<void> Repositories::Change(const Actor& actor, const Repository& repository,
                                  const RepositorySettings& settings) {
  std::optional<std::string> gated;
  if (settings.gating) gated = GatingName(*settings.gating);
  return database_.Write([&](Transaction& t) -> Result<void> {
    TRY(
        t.Execute("UPDATE repositories SET private = COALESCE($1, private), gated = COALESCE($2, gated),"
                  " disabled = COALESCE($3, disabled) WHERE id = $4",
                  settings.is_private, gated, settings.disabled, repository.id));
    return RecordEvent(t, clock_(), repository, actor.user_id, {.action = "settings"});
  });
}

Result<int64_t> Repositories::TakeNumber(const Repository& repository) {
  const auto number = TRY(database_.Write([&](Transaction& t) {
    return t.QueryOne<int64_t>(
        "UPDATE repositories SET next_number = next_number + 1 WHERE id = $1 RETURNING next_number - 1", repository.id);
  }));
  if (!number) return Fail(ErrorCode::kNotFound, "{} is not there any more", repository.FullName());
  return *number;
}

Result<std::shared_ptr<git::GitRepository>> Repositories::Open(const Repository& repository) const {
  auto opened = OpenFolder(repository.id, repository.folder);
  if (opened || opened.error().code != ErrorCode::kNotFound) return opened;
  // It may be moving: the row still names the old folder when the disk has the new one, for an instant.
  const auto now = TRY(FindById({}, repository.id));
  if (!now) return Fail(ErrorCode::kNotFound, "{} is not there any more", repository.FullName());
  opened = OpenFolder(repository.id, now->repository.folder);
  if (opened || opened.error().code != ErrorCode::kNotFound) return opened;
  opened = OpenFolder(repository.id, FolderOf(now->repository));
  if (opened || opened.error().code != ErrorCode::kNotFound) return opened;
  return Fail(ErrorCode::kInternal, "{}: {} is missing on the disk", repository.FullName(), now->repository.folder);
}

Result<std::shared_ptr<git::GitRepository>> Repositories::OpenFolder(int64_t id, const std::string& folder) const {
  const std::lock_guard lock(mutex_);
  for (auto it = open_.begin(); it != open_.end(); ++it) {
    if (it->first != id) continue;
    open_.splice(open_.begin(), open_, it);
    return it->second;
  }
  auto git = TRY(git::GitRepository::Open(folder_ / folder));
  if (ReadRepositoryId(git->path()) != id)
    return Fail(ErrorCode::kNotFound, "{}: another repository has this place now", folder);
  if (owned_ && tidied_.insert(id).second) TRY(git->RemoveLeftovers());
  open_.emplace_front(id, git);
  if (open_.size() > kMaxOpen) open_.pop_back();
  return git;
}

void Repositories::Forget(int64_t id) const {
  const std::lock_guard lock(mutex_);
  open_.remove_if([&](const auto& entry) { return entry.first == id; });
}

}  // namespace bothy
