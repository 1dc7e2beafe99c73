// Repositories of another hub, kept here: brought when somebody asks for one, followed as they change there, and served
// when the other hub is away. Git history comes whole; a large file when it is asked for first.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "base/metrics.h"
#include "client/hub_api.h"
#include "hub/hub.h"
#include "hub/upstream.h"
#include "mirror/arrival.h"
#include "mirror/shared_work.h"
#include "store/git/incoming.h"

namespace bothy {

struct MirrorOptions {
  client::Endpoint endpoint;         // the other hub, and the token for it
  std::chrono::seconds refresh{60};  // so long what was looked for there is not looked for again
  client::RetryPolicy retries;
};

// Waits of a second each; for what a person waits for, not many.
client::RetryPolicy MirrorRetries();

class Mirror final : public Upstream {  // Safe to use from several threads.
 public:
  // How long a request waits: for what is not here, a little less than proxies do; for news of what is here, less than
  // clients do.
  static constexpr std::chrono::seconds kPatience{50}, kRefreshPatience{8};
  // So long, and no longer than the refresh, an error of the other hub stands for all.
  static constexpr std::chrono::seconds kAwayFor{60};
  static constexpr size_t kMaxRemembered = 10'000;  // names that are not there, revisions that were looked for
  static constexpr int kPullsAtOnce = 8, kFilesAtOnce = 32;
  static constexpr size_t kMaxWaiting = 4096;
  static constexpr std::chrono::days kPartsAreKept{7};  // what has come of a file that nobody has asked for again

  // `hub` must outlive the object, whose folder is data()/mirror. kInternal where that cannot be made.
  static Result<std::unique_ptr<Mirror>> Open(Hub& hub, const MirrorOptions& options, Metrics& metrics);
  ~Mirror() override;

  // Everybody who waits is told that it is over, and what is under way ends. What has come of large files is kept for
  // the next start.
  void Stop();

  Result<bool> Bring(RepositoryKind kind, const std::string& owner, const std::string& name) override;
  bool Refresh(const Repository& mirror, const std::optional<std::string>& revision) override;
  Result<std::shared_ptr<Arriving>> Fetch(const Repository& mirror, const git::Pointer& pointer) override;

 private:
  class ArrivalJob;
  class Turn;
  struct Failure {
    Timestamp until;
    Error error;
  };
  // When something was looked for; the oldest are forgotten all at once.
  using Seen = std::map<std::string, Timestamp>;

  Mirror(Hub& hub, const MirrorOptions& options, Metrics& metrics, std::filesystem::path folder);

  Result<bool> BringNow(RepositoryKind kind, const std::string& owner, const std::string& name);
  Result<bool> Make(RepositoryKind kind, const std::string& owner, const std::string& name,
                    const client::RemoteRepository& original);
  Result<bool> RefreshNow(const Repository& mirror, const std::optional<std::string>& revision);
  Result<bool> FollowSettings(const Repository& mirror, const client::RemoteRepository& original);
  Result<client::RemoteRepository> Ask(const HubName& name);
  void RunArrival(Arrival& arrival);

  std::string AddressOf(RepositoryKind kind, const std::string& id) const;
  std::optional<HubName> OriginalOf(const Repository& mirror) const;  // where it is on this other hub
  git::FetchSource SourceOf(RepositoryKind kind, const std::string& id) const;
  bool SeenLately(const Seen& seen, const std::string& key) const;
  void NoteSeen(Seen& seen, const std::string& key);
  bool Away() const;

  Hub& hub_;
  const MirrorOptions options_;
  const std::filesystem::path folder_;
  Counters repositories_, files_, bytes_;
  std::atomic<bool> stopping_ = false;
  std::stop_source stop_;
  // Apart, so that no question waits for the end of a file.
  net::HttpClient question_http_, file_http_;
  client::HubApi questions_, files_of_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  Seen missing_;                   // names that the other hub does not have
  Seen looked_for_;                // revisions of mirrors
  std::optional<Timestamp> away_;  // the other hub was not to be reached then
  std::set<int64_t> followed_;     // mirrors whose refs somebody is at
  std::map<std::string, std::shared_ptr<Arrival>> arrivals_;
  std::map<std::string, Failure>
      failures_;  // of arrivals, so that a file that is wrong there is not fetched all the time

  net::WorkerPool arrival_threads_{kFilesAtOnce, kMaxWaiting};
  // Apart, so that long histories which come for the first time do not hold up what is here.
  SharedWork brings_{kPullsAtOnce, kMaxWaiting}, refreshes_{kPullsAtOnce, kMaxWaiting};
};

}  // namespace bothy
