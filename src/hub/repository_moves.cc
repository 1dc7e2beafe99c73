// Repositories under new names, and what a crash has left of any change.
#include <unordered_set>

#include "base/log.h"
#include "hub/names.h"
#include "hub/repositories.h"
#include "hub/repository_busy.h"
#include "hub/repository_folder.h"
#include "hub/repository_rows.h"
#include "hub/usage.h"

namespace bothy {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kPage = 1000;  // rows at once

}  // namespace

Result<Repository> Repositories::Move(const Actor& actor, const Repository& repository, int64_t owner_id,
                                      std::string_view owner, std::string_view name) {
  TRY(CheckRepositoryName(name));
  const Busy busy = TRY(Busy::Take(*this, repository.kind, repository.owner_id, repository.name));
  std::optional<Busy> target;
  if (owner_id != repository.owner_id || NameKey(name) != NameKey(repository.name)) {
    target.emplace(TRY(Busy::Take(*this, repository.kind, owner_id, name)));
  }
  if (owner_id != repository.owner_id) {
    TRY(CheckQuota(database_, owner_id, TRY(UsageOf(database_, repository)).bytes()));
  }
  Repository moved = repository;
  moved.owner_id = owner_id;
  moved.owner = owner;
  moved.name = name;
  const auto renamed = Rename(repository, owner_id, name);
  if (!renamed && renamed.error().code == ErrorCode::kAlreadyExists) return NameIsTaken(repository.kind, owner, name);
  if (!renamed) return tl::unexpected(renamed.error());
  Forget(repository.id);
  const std::string folder = FolderOf(moved);
  if (folder != repository.folder) {
    auto on_disk = git::GitRepository::Rename(folder_ / repository.folder, folder_ / folder);
    if (!on_disk) {
      TRY(Rename(moved, repository.owner_id, repository.name));
      return tl::unexpected(std::move(on_disk).error());
    }
  }
  Forget(repository.id);  // who has opened the old place in between
  // It has moved by now. Where this is not noted, it is found all the same, and the next start notes it.
  if (const auto settled = SettleFolder(moved, folder, actor.user_id); !settled) {
    Log(LogLevel::kError, "move_not_noted", {{"repository", folder}, {"error", settled.error()}});
  }
  moved.folder = folder;
  return moved;
}

Result<void> Repositories::Rename(const Repository& repository, int64_t owner_id, std::string_view name) {
  const auto renamed = database_.Write([&](Transaction& t) {
    return t.Execute("UPDATE repositories SET namespace_id = $1, name = $2, key = $3 WHERE id = $4 AND state = 'ready'",
                     owner_id, name, NameKey(name), repository.id);
  });
  if (!renamed) return tl::unexpected(renamed.error());
  if (*renamed == 0) return Fail(ErrorCode::kNotFound, "{} is not there any more", repository.FullName());
  return {};
}

// The disk has followed: the place it had says which name leads to it from now on.
Result<void> Repositories::SettleFolder(const Repository& repository, const std::string& folder, int64_t user_id) {
  return database_.Write([&](Transaction& t) -> Result<void> {
    TRY(t.Execute("UPDATE repositories SET folder = $1 WHERE id = $2", folder, repository.id));
    if (const auto old = NamesOfFolder(repository.folder)) {
      TRY(
          t.Execute("INSERT INTO repository_redirects (kind, namespace_key, key, repository_id, created_at)"
                    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, namespace_key, key)"
                    " DO UPDATE SET repository_id = excluded.repository_id, created_at = excluded.created_at",
                    KindName(repository.kind), NameKey(old->owner), NameKey(old->name), repository.id, clock_()));
    }
    TRY(t.Execute("DELETE FROM repository_redirects WHERE kind = $1 AND namespace_key = $2 AND key = $3",
                  KindName(repository.kind), NameKey(repository.owner), NameKey(repository.name)));
    return RecordEvent(t, clock_(), repository, user_id, {.action = "move"});
  });
}

Result<RecoveryReport> Repositories::Recover() {
  {
    const std::lock_guard lock(mutex_);
    owned_ = true;
    open_.clear();  // what is moved below is opened anew
  }
  RecoveryReport report;
  TRY(RecoverUnready(report));
  TRY(FinishMoves(report));
  TRY(CompareWithDisk(report));
  return report;
}

Result<void> Repositories::RecoverUnready(RecoveryReport& report) {
  for (;;) {
    const auto rows = TRY(database_.Read([&](Transaction& t) {
      return t.Query<int64_t, std::string, std::string>(
          "SELECT id, state, folder FROM repositories WHERE state <> 'ready' ORDER BY id LIMIT $1", kPage);
    }));
    if (rows.empty()) return {};
    for (const auto& [id, state, folder] : rows) {
      TRY(Undo(id, folder));
      (state == "creating" ? report.undone_creations : report.finished_deletions).push_back(folder);
    }
  }
}

Result<void> Repositories::FinishMoves(RecoveryReport& report) {
  return ForEachRepository(database_,
                           " AND repositories.folder <>"
                           " repositories.kind || 's/' || namespaces.name || '/' || repositories.name || '.git'",
                           [&](const Repository& repository) -> Result<void> {
                             const std::string folder = FolderOf(repository);
                             if (ReadRepositoryId(folder_ / folder) != repository.id) {
                               const auto renamed =
                                   git::GitRepository::Rename(folder_ / repository.folder, folder_ / folder);
                               // What is missing is reported below; what is in the way of another move is there at the
                               // next start.
                               if (!renamed && renamed.error().code != ErrorCode::kNotFound &&
                                   renamed.error().code != ErrorCode::kAlreadyExists) {
                                 return renamed;
                               }
                               if (!renamed) return {};
                             }
                             report.finished_moves.push_back(folder);
                             return SettleFolder(repository, folder, /*user_id=*/0);
                           });
}

Result<void> Repositories::CompareWithDisk(RecoveryReport& report) {
  std::unordered_set<std::string> known;  // 100 bytes a repository
  TRY(ForEachRepository(database_, "", [&](const Repository& repository) -> Result<void> {
    if (ReadRepositoryId(folder_ / repository.folder) != repository.id) report.missing.push_back(repository.folder);
    known.insert(repository.folder);
    return {};
  }));
  TRY(ForEachFolder(folder_, [&](const std::string& folder) -> Result<void> {
    if (!IsLeftoverFolder(folder)) {
      if (!known.contains(folder)) report.unknown.push_back(folder);
      return {};
    }
    std::error_code error;
    fs::remove_all(folder_ / folder, error);
    if (error) return Fail(ErrorCode::kInternal, "{}: {}", folder, error.message());
    return {};
  }));
  return {};
}

}  // namespace bothy
