#include "hub/lfs_locks.h"

#include <algorithm>

#include "store/git/repo_path.h"

namespace bothy {
namespace {

Result<std::vector<LfsLock>> Query(Transaction& t, const Repository& repository, const LfsLockFilter& filter) {
  Statement statement(
      "SELECT l.id, l.path, l.user_id, n.name, l.locked_at FROM lfs_locks l JOIN namespaces n ON n.id = l.user_id"
      " WHERE l.repository_id = $1 AND l.id > $2",
      repository.id, filter.after);
  if (filter.path) statement.Add(" AND l.path = $1", *filter.path);
  if (filter.id) statement.Add(" AND l.id = $1", *filter.id);
  const int64_t limit = filter.limit > 0 ? std::min(filter.limit, LfsLocks::kMaxPage) : LfsLocks::kMaxPage;
  statement.Add(" ORDER BY l.id LIMIT $1", limit);
  std::vector<LfsLock> locks;
  for (auto& [id, path, user_id, owner, locked_at] :
       TRY((t.Query<int64_t, std::string, int64_t, std::string, Timestamp>(statement)))) {
    locks.push_back({id, std::move(path), user_id, std::move(owner), locked_at});
  }
  return locks;
}

}  // namespace

Result<LfsLocks::Made> LfsLocks::Lock(const Repository& repository, const Actor& actor, const std::string& path,
                                      Timestamp now) {
  TRY(git::RepoPath::Parse(path));
  return database_.Write([&](Transaction& t) -> Result<Made> {
    const auto count =
        TRY(t.QueryOne<int64_t>("SELECT COUNT(*) FROM lfs_locks WHERE repository_id = $1", repository.id));
    if (count.value_or(0) >= kMaxLocks) {
      return Fail(ErrorCode::kResourceExhausted, "{} has {} locks: remove some first", repository.FullName(),
                  kMaxLocks);
    }
    const int64_t inserted =
        TRY(t.Execute("INSERT INTO lfs_locks (repository_id, path, user_id, locked_at) VALUES ($1, $2, $3, $4)"
                      " ON CONFLICT (repository_id, path) DO NOTHING",
                      repository.id, path, actor.user_id, now));
    auto locks = TRY(Query(t, repository, {.path = path, .id = {}}));
    if (locks.empty()) return Fail(ErrorCode::kInternal, "a lock has gone in the middle of a transaction");
    return Made{std::move(locks.front()), inserted == 1};
  });
}

Result<std::vector<LfsLock>> LfsLocks::List(const Repository& repository, const LfsLockFilter& filter) const {
  return database_.Read([&](Transaction& t) { return Query(t, repository, filter); });
}

Result<bool> LfsLocks::Unlock(const Repository& repository, int64_t id) {
  return database_.Write([&](Transaction& t) -> Result<bool> {
    return TRY(t.Execute("DELETE FROM lfs_locks WHERE repository_id = $1 AND id = $2", repository.id, id)) == 1;
  });
}

}  // namespace bothy
