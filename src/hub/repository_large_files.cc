#include "hub/repository_large_files.h"

#include <algorithm>
#include <unordered_set>

#include "hub/commits.h"
#include "hub/usage.h"
#include "store/git/large_files.h"
#include "store/git/rewrite.h"

namespace bothy {
namespace {

constexpr int64_t kMaxPage = 1000;

}  // namespace

Result<std::vector<ListedLargeFile>> ListLargeFiles(Database& database, const Repository& repository,
                                                    const std::string& after, int64_t limit) {
  return database.Read([&](Transaction& t) -> Result<std::vector<ListedLargeFile>> {
    auto rows = TRY((t.Query<std::string, int64_t, std::string, std::string, Timestamp>(
        "SELECT sha256, size, path, ref, added_at FROM repository_content"
        " WHERE repository_id = $1 AND sha256 > $2 ORDER BY sha256 LIMIT $3",
        repository.id, after, std::clamp<int64_t>(limit, 1, kMaxPage))));
    std::vector<ListedLargeFile> files;
    files.reserve(rows.size());
    for (auto& [sha256, size, path, ref, added_at] : rows) {
      files.push_back({.sha256 = std::move(sha256),
                       .size = static_cast<uint64_t>(size),
                       .path = std::move(path),
                       .ref = std::move(ref),
                       .added_at = added_at});
    }
    return files;
  });
}

Result<void> RemoveLargeFiles(Repositories& repositories, const Actor& actor, const Repository& repository,
                              const LargeFileRemoval& removal) {
  if (removal.sha256s.size() > LargeFileRemoval::kMaxFiles) {
    return Fail(ErrorCode::kResourceExhausted, "{} files at once, at most {} are allowed", removal.sha256s.size(),
                LargeFileRemoval::kMaxFiles);
  }
  const auto git = TRY(repositories.Open(repository));
  std::vector<git::RewrittenRef> moved;
  {
    // Nobody may point to one of them again between the rewriting and the rows.
    const git::DropGuard guard = TRY(git::DropGuard::Take(*git));
    if (removal.rewrite_history) {
      const std::unordered_set<std::string> unwanted(removal.sha256s.begin(), removal.sha256s.end());
      std::unordered_set<git::Oid> blobs;
      TRY(git::ForEachReachablePointer(*git, [&](const git::StoredPointer& stored) -> Result<void> {
        if (unwanted.contains(stored.pointer.sha256)) blobs.insert(stored.blob);
        return {};
      }));
      if (!blobs.empty()) moved = TRY(git::RemoveBlobs(*git, guard, blobs));
    }
    TRY(repositories.database().Write([&](Transaction& t) -> Result<void> {
      for (const std::string& sha256 : removal.sha256s) {
        if (TRY(t.Execute("DELETE FROM repository_content WHERE repository_id = $1 AND sha256 = $2", repository.id,
                          sha256)) == 0) {
          continue;
        }
        TRY(
            t.Execute("INSERT INTO removed_content (repository_id, sha256) VALUES ($1, $2)"
                      " ON CONFLICT (repository_id, sha256) DO NOTHING",
                      repository.id, sha256));
      }
      return CountLargeFiles(t, repository);
    }));
  }
  for (const git::RewrittenRef& ref : moved) {
    RecordPush(repositories, repository, actor, ref.ref, ref.before, ref.after);
  }
  return {};
}

}  // namespace bothy
