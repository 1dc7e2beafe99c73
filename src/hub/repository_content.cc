#include "hub/repository_content.h"

#include <algorithm>

#include "hub/repository_rows.h"
#include "hub/rights.h"
#include "store/git/large_files.h"

namespace bothy {
namespace {

constexpr int64_t kPage = 100;          // repositories whose rights are looked at together
constexpr size_t kRowsAtOnce = 10'000;  // of one transaction, so that other writers get their turn
constexpr size_t kNamesAtOnce = 500;    // values of one statement

Result<void> InsertRows(Transaction& t, const Repository& repository, std::span<const ReferredFile> files,
                        Timestamp now) {
  for (const ReferredFile& file : files) {
    TRY(
        t.Execute("INSERT INTO repository_content (repository_id, sha256, size, path, ref, added_at)"
                  " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (repository_id, sha256) DO NOTHING",
                  repository.id, file.sha256, static_cast<int64_t>(file.size), file.path, file.ref, now));
  }
  return {};
}

// What `select` gives of a repository, as far as it is in `sha256s`.
Result<std::unordered_set<std::string>> RowsAmong(Database& database, Sql<int64_t> select, const Repository& repository,
                                                  std::span<const std::string> sha256s) {
  std::unordered_set<std::string> rows;
  for (; !sha256s.empty(); sha256s = sha256s.subspan(std::min(kNamesAtOnce, sha256s.size()))) {
    Statement statement(select, repository.id);
    statement.Add(" AND sha256 IN (''");
    for (const std::string& sha256 : sha256s.first(std::min(kNamesAtOnce, sha256s.size()))) {
      statement.Add(", $1", sha256);
    }
    statement.Add(")");
    for (auto& row : TRY(database.Read([&](Transaction& t) { return t.Query<std::string>(statement); }))) {
      rows.insert(std::move(row));
    }
  }
  return rows;
}

// Removes the rows of what is not among `held`.
Result<uint64_t> RemoveOthers(Database& database, const Repository& repository,
                              const std::unordered_set<std::string>& held) {
  uint64_t removed = 0;
  for (std::string last;;) {
    const auto rows = TRY(database.Read([&](Transaction& t) {
      return t.Query<std::string>(
          "SELECT sha256 FROM repository_content WHERE repository_id = $1 AND sha256 > $2 ORDER BY sha256 LIMIT $3",
          repository.id, last, static_cast<int64_t>(kRowsAtOnce));
    }));
    if (rows.empty()) return removed;
    last = rows.back();
    removed += static_cast<uint64_t>(TRY(database.Write([&](Transaction& t) -> Result<int64_t> {
      int64_t gone = 0;
      for (const std::string& sha256 : rows) {
        if (held.contains(sha256)) continue;
        gone += TRY(t.Execute("DELETE FROM repository_content WHERE repository_id = $1 AND sha256 = $2", repository.id,
                              sha256));
      }
      return gone;
    })));
  }
}

}  // namespace

Result<void> AddContent(Database& database, const Repository& repository, std::span<const ReferredFile> files,
                        Timestamp now) {
  for (; !files.empty(); files = files.subspan(std::min(kRowsAtOnce, files.size()))) {
    const auto some = files.first(std::min(kRowsAtOnce, files.size()));
    TRY(database.Write([&](Transaction& t) { return InsertRows(t, repository, some, now); }));
  }
  return {};
}

Result<std::unordered_set<std::string>> ReferredAmong(Database& database, const Repository& repository,
                                                      std::span<const std::string> sha256s) {
  return RowsAmong(database, "SELECT sha256 FROM repository_content WHERE repository_id = $1", repository, sha256s);
}

Result<std::unordered_set<std::string>> RemovedAmong(Database& database, const Repository& repository,
                                                     std::span<const std::string> sha256s) {
  return RowsAmong(database, "SELECT sha256 FROM removed_content WHERE repository_id = $1", repository, sha256s);
}

Result<bool> RefersTo(Database& database, const Repository& repository, const std::string& sha256) {
  return !TRY(ReferredAmong(database, repository, std::span(&sha256, 1))).empty();
}

Result<bool> MayReadContent(Database& database, const Actor& actor, const std::string& sha256) {
  return database.Read([&](Transaction& t) -> Result<bool> {
    for (int64_t last = 0;;) {
      Statement statement = SelectRepositories(actor);
      statement.Add(" AND repositories.id IN (SELECT repository_id FROM repository_content WHERE sha256 = $1)", sha256);
      AddSeen(actor, statement);
      statement.Add(" AND repositories.id > $1 ORDER BY repositories.id LIMIT $2", last, kPage);
      const auto found = TRY(QueryRepositories(t, statement));
      for (const FoundRepository& one : found) {
        if (Decide(actor, Right::kReadContent, one.facts) == Verdict::kAllowed) return true;
      }
      if (found.size() < static_cast<size_t>(kPage)) return false;
      last = found.back().repository.id;
    }
  });
}

Result<std::optional<LargeFile>> FindNameable(Database& database, const LargeContent& content, const Actor& actor,
                                              const std::string& sha256) {
  auto found = TRY(content.Touch(std::span(&sha256, 1)));
  if (found.empty() || !found.front()) return std::nullopt;
  const bool sent = !actor.IsNobody() && TRY(content.SentBy(actor.user_id, sha256));
  if (!sent && !TRY(MayReadContent(database, actor, sha256))) return std::nullopt;
  return std::move(found.front());
}

Result<ContentUsage> MeasureContent(Database& database, const Repository& repository) {
  const auto sums = TRY(database.Read([&](Transaction& t) {
    return t.QueryOne<int64_t, int64_t>(
        "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM repository_content"
        " WHERE repository_id = $1",
        repository.id);
  }));
  return ContentUsage{.files = std::get<0>(*sums), .bytes = std::get<1>(*sums)};
}

Result<ContentUsage> MeasureContentOf(Database& database, int64_t owner_id) {
  const auto sums = TRY(database.Read([&](Transaction& t) {
    return t.QueryOne<int64_t, int64_t>(
        "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM"
        " (SELECT sha256, MAX(size) AS size FROM repository_content WHERE repository_id IN"
        " (SELECT id FROM repositories WHERE namespace_id = $1) GROUP BY sha256) AS files",
        owner_id);
  }));
  return ContentUsage{.files = std::get<0>(*sums), .bytes = std::get<1>(*sums)};
}

Result<std::vector<std::string>> Unreferred(Database& database, std::span<const std::string> sha256s) {
  return database.Read([&](Transaction& t) -> Result<std::vector<std::string>> {
    std::vector<std::string> unreferred;
    for (const std::string& sha256 : sha256s) {
      const auto row =
          TRY(t.QueryOne<int64_t>("SELECT repository_id FROM repository_content WHERE sha256 = $1 LIMIT 1", sha256));
      if (!row) unreferred.push_back(sha256);
    }
    return unreferred;
  });
}

Result<void> RebuildContent(Database& database, const Repository& repository, git::GitRepository& git, Timestamp now) {
  const git::DropGuard guard = TRY(git::DropGuard::Take(git));
  std::vector<ReferredFile> files;
  std::unordered_set<std::string> seen;
  TRY(git::ForEachLargeFile(git, [&](const git::LargeFile& file) -> Result<void> {
    if (seen.insert(file.pointer.sha256).second) {
      files.push_back({file.pointer.sha256, file.pointer.size, file.path, file.ref});
    }
    return {};
  }));
  const auto removed = TRY(RemovedAmong(database, repository, std::vector<std::string>(seen.begin(), seen.end())));
  std::erase_if(files, [&](const ReferredFile& file) { return removed.contains(file.sha256); });
  TRY(AddContent(database, repository, files, now));
  TRY(ForgetDroppedContent(database, repository, git, guard));
  return {};
}

Result<uint64_t> ForgetDroppedContent(Database& database, const Repository& repository, const git::GitRepository& git,
                                      const git::DropGuard&) {
  std::unordered_set<std::string> held;
  // Also of what no ref leads to: it may become reachable again. It was never looked at where a push was refused, so
  // nothing gets a row for it.
  TRY(git::ForEachStoredPointer(git, [&](const git::StoredPointer& file) -> Result<void> {
    held.insert(file.pointer.sha256);
    return {};
  }));
  return RemoveOthers(database, repository, held);
}

}  // namespace bothy
