#include "hub/repository_content.h"

#include <algorithm>

#include "hub/repository_rows.h"
#include "hub/rights.h"
#include "hub/usage.h"
#include "store/git/large_files.h"

namespace bothy {
namespace {

constexpr int64_t kPage = 100;          // repositories whose rights are looked at together
constexpr size_t kRowsAtOnce = 10'000;  // of one transaction, so that other writers get their turn
constexpr size_t kNamesAtOnce = 500;    // values of one statement

// What of them is new.
Result<Usage> InsertRows(Transaction& t, const Repository& repository, std::span<const ReferredFile> files,
                         Timestamp now) {
  Usage added;
  for (const ReferredFile& file : files) {
    const auto size = static_cast<int64_t>(file.size);
    const int64_t rows =
        TRY(t.Execute("INSERT INTO repository_content (repository_id, sha256, size, path, ref, added_at)"
                      " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (repository_id, sha256) DO NOTHING",
                      repository.id, file.sha256, size, file.path, file.ref, now));
    added.large_files += rows;
    added.large_bytes += rows * size;
  }
  return added;
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
      if (gone > 0) TRY(CountLargeFiles(t, repository));
      return gone;
    })));
  }
}

}  // namespace

Result<int64_t> BytesOfNew(Database& database, const Repository& repository, std::span<const ReferredFile> files) {
  std::vector<std::string> sha256s;
  for (const ReferredFile& file : files) sha256s.push_back(file.sha256);
  auto counted = TRY(ReferredAmong(database, repository, sha256s));
  int64_t bytes = 0;
  for (const ReferredFile& file : files) {
    if (!counted.insert(file.sha256).second) continue;
    bytes += static_cast<int64_t>(std::min<uint64_t>(file.size, INT64_MAX - static_cast<uint64_t>(bytes)));
  }
  return bytes;
}

Result<void> AddContent(Database& database, const Repository& repository, const NewContent& content, Timestamp now) {
  // All of it before the first row, so that only who is overtaken by another push leaves rows without a commit.
  TRY(CheckQuota(database, repository.owner_id,
                 TRY(BytesOfNew(database, repository, content.files)) + content.git_bytes));
  int64_t git_bytes = content.git_bytes;
  std::span<const ReferredFile> files = content.files;
  while (!files.empty() || git_bytes > 0) {
    const auto some = files.first(std::min(kRowsAtOnce, files.size()));
    TRY(database.Write([&](Transaction& t) -> Result<void> {
      Usage added = TRY(InsertRows(t, repository, some, now));
      added.git_bytes = git_bytes;
      return AddUsage(t, repository, added);
    }));
    files = files.subspan(some.size());
    git_bytes = 0;
  }
  return {};
}

Result<void> ListContent(Database& database, const Repository& repository, std::span<const ReferredFile> files,
                         Timestamp now) {
  for (; !files.empty(); files = files.subspan(std::min(kRowsAtOnce, files.size()))) {
    TRY(database.Write([&](Transaction& t) -> Result<void> {
      TRY(InsertRows(t, repository, files.first(std::min(kRowsAtOnce, files.size())), now));
      return CountLargeFiles(t, repository);
    }));
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

Result<std::optional<uint64_t>> ReferredSize(Database& database, const Repository& repository,
                                             const std::string& sha256) {
  const auto size = TRY(database.Read([&](Transaction& t) {
    return t.QueryOne<int64_t>("SELECT size FROM repository_content WHERE repository_id = $1 AND sha256 = $2",
                               repository.id, sha256);
  }));
  return size ? std::optional(static_cast<uint64_t>(*size)) : std::nullopt;
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
  TRY(ListContent(database, repository, files, now));
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
