#include "hub/repository_upkeep.h"

#include <algorithm>

#include "base/log.h"
#include "hub/repository_content.h"
#include "hub/repository_rows.h"
#include "store/git/maintenance.h"

namespace bothy {
namespace {

// Of one program of git's; a repository for which it is too short is passed over.
constexpr std::chrono::minutes kPatience{30};

// Packing makes what is unreachable young again, in the eyes of git: so it waits while there is any, up to a point.
constexpr uint64_t kTooManyFiles = 10;  // times what is many

bool NeedsRepack(const git::RepositoryStatistics& files, bool unreachable) {
  if (!unreachable) return git::NeedsRepack(files);
  return files.packs > kTooManyFiles * git::kManyPacks || files.loose_objects > kTooManyFiles * git::kManyLooseObjects;
}

struct LastTime {
  int64_t git_bytes = -1;
  int64_t measured_bytes = -1;
  std::optional<Timestamp> again_at;
};

class Tidier {
 public:
  Tidier(Hub& hub, Upkeep& upkeep) : hub_(hub), upkeep_(upkeep) {}

  Result<void> Tidy(const Repository& repository) {
    const auto git = TRY(hub_.repositories().Open(repository));
    const LastTime last = TRY(ReadLastTime(repository));
    const auto before = TRY(git::Measure(*git));
    const Timestamp now = hub_.now();
    const bool due = last.again_at && *last.again_at <= now;
    const auto bytes = static_cast<int64_t>(before.bytes);
    if (bytes == last.measured_bytes && bytes == last.git_bytes && !due) return {};

    // Whatever becomes of the rest: what is counted is right, and what is cut short is done the next time.
    TRY(Note(repository, {.git_bytes = bytes, .measured_bytes = last.measured_bytes, .again_at = last.again_at}));
    bool unreachable = TRY(git::HasUnreachable(*git, kPatience));
    if (unreachable && due) {
      TRY(Drop(repository, *git));
      unreachable = TRY(git::HasUnreachable(*git, kPatience));
    }
    if (NeedsRepack(TRY(git::Measure(*git)), unreachable)) {
      TRY(git::Repack(*git, git::RepackKind::kSmall, kPatience));
      upkeep_.packed++;
    }
    const auto after = TRY(git::Measure(*git));
    upkeep_.freed_bytes += before.bytes - std::min(before.bytes, after.bytes);
    std::optional<Timestamp> again_at;
    if (unreachable) again_at = due || !last.again_at ? now + kKeepUnreachable : *last.again_at;
    const auto left = static_cast<int64_t>(after.bytes);
    return Note(repository, {.git_bytes = left, .measured_bytes = left, .again_at = again_at});
  }

 private:
  Result<LastTime> ReadLastTime(const Repository& repository) {
    return hub_.database().Read([&](Transaction& t) -> Result<LastTime> {
      const auto row = TRY((t.QueryOne<int64_t, int64_t, std::optional<Timestamp>>(
          "SELECT git_bytes, measured_bytes, measure_again_at FROM repository_usage WHERE repository_id = $1",
          repository.id)));
      return row ? LastTime{std::get<0>(*row), std::get<1>(*row), std::get<2>(*row)} : LastTime();
    });
  }

  Result<void> Drop(const Repository& repository, git::GitRepository& git) {
    TRY(git::DropUnreachable(git, kKeepUnreachable, kPatience));
    const git::DropGuard guard = TRY(git::DropGuard::Take(git));
    TRY(ForgetDroppedContent(hub_.database(), repository, git, guard));
    upkeep_.dropped_from++;
    return {};
  }

  Result<void> Note(const Repository& repository, const LastTime& now) {
    return hub_.database().Write([&](Transaction& t) -> Result<void> {
      TRY(
          t.Execute("INSERT INTO repository_usage"
                    " (repository_id, large_files, large_bytes, git_bytes, measured_bytes, measure_again_at)"
                    " VALUES ($1, 0, 0, $2, $3, $4) ON CONFLICT (repository_id) DO UPDATE SET git_bytes = $2,"
                    " measured_bytes = $3, measure_again_at = $4",
                    repository.id, now.git_bytes, now.measured_bytes, now.again_at));
      return {};
    });
  }

  Hub& hub_;
  Upkeep& upkeep_;
};

}  // namespace

Result<Upkeep> TidyRepositories(Hub& hub, const std::function<bool(uint64_t done, uint64_t total)>& progress) {
  const auto total = TRY(hub.database().Read(
      [](Transaction& t) { return t.QueryOne<int64_t>("SELECT COUNT(*) FROM repositories WHERE state = 'ready'"); }));
  Upkeep upkeep;
  Tidier tidier(hub, upkeep);
  TRY(ForEachRepository(hub.database(), "", [&](const Repository& repository) -> Result<void> {
    if (progress && !progress(upkeep.looked_at, std::max(upkeep.looked_at, static_cast<uint64_t>(total.value_or(0))))) {
      return Fail(ErrorCode::kCancelled, "given up after {} repositories", upkeep.looked_at);
    }
    upkeep.looked_at++;
    const auto tidied = tidier.Tidy(repository);
    // Busy, or gone meanwhile: that is nobody's fault.
    if (tidied || tidied.error().code == ErrorCode::kUnavailable || tidied.error().code == ErrorCode::kNotFound) {
      return {};
    }
    upkeep.failed++;
    Log(LogLevel::kError, "repository not tidied", {{"repository", repository.folder}, {"error", tidied.error()}});
    return {};
  }));
  return upkeep;
}

}  // namespace bothy
