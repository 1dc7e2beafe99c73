#include "hub/housekeeping.h"

#include "hub/data_lock.h"
#include "hub/lfs_parts.h"

namespace bothy {
namespace {

constexpr int64_t kPage = 4096;  // rows at once

// Of a large file that is sent in parts: who has not come back for so long does not come.
constexpr std::chrono::days kKeepParts{7};

Result<content::Collected> CollectContent(Hub& hub, const HousekeepingOptions& options) {
  std::string last;
  const auto next = [&]() -> Result<std::vector<Digest256>> {
    const auto rows = TRY(hub.database().Read([&](Transaction& t) {
      return t.Query<std::string>(
          "SELECT DISTINCT sha256 FROM repository_content WHERE sha256 > $1 ORDER BY sha256 LIMIT $2", last, kPage);
    }));
    std::vector<Digest256> referred;
    referred.reserve(rows.size());
    for (const std::string& sha256 : rows) referred.push_back(TRY(ParseSha256(sha256)));
    if (!rows.empty()) last = rows.back();
    return referred;
  };
  return hub.content().Collect(next, options.age, options.progress);
}

// Whoever logs in removes the others' that have ended, but nobody may for long.
Result<void> ForgetExpired(Hub& hub) {
  const Timestamp now = hub.now();
  TRY(hub.database().Write([&](Transaction& t) -> Result<void> {
    TRY(t.Execute("DELETE FROM sessions WHERE expires_at <= $1", now));
    TRY(t.Execute("DELETE FROM device_codes WHERE expires_at <= $1", now));
    TRY(t.Execute("DELETE FROM refresh_tokens WHERE expires_at <= $1", now));
    return {};
  }));
  auto parts = TRY(LfsParts::Open(hub.data()));
  return parts.RemoveOlderThan(std::chrono::floor<std::chrono::seconds>(now - kKeepParts));
}

}  // namespace

Result<Housekept> KeepHouse(Hub& hub, const HousekeepingOptions& options) {
  const DataLock lock =
      TRY(DataLock::Take(hub.data(), DataLockKind::kRemoval, "bothy gc, or the daily pass of bothy serve"));
  Housekept done;
  if (options.repositories) {
    done.repositories = TRY(TidyRepositories(hub, [&](uint64_t looked_at, uint64_t total) {
      return !options.progress || options.progress("repositories", looked_at, total);
    }));
  }
  done.content = TRY(CollectContent(hub, options));
  TRY(ForgetExpired(hub));
  return done;
}

}  // namespace bothy
