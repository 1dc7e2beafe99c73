#include "mirror/mirror.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/base64.h"
#include "base/log.h"
#include "hub/names.h"
#include "hub/repository_rows.h"
#include "mirror/follow.h"
#include "store/git/refs.h"
#include "store/git/repo_path.h"

namespace bothy {
namespace {

constexpr size_t kCommitDigits = git::Oid::kHexDigits;

std::string KeyOf(RepositoryKind kind, const std::string& owner, const std::string& name) {
  return fmt::format("{}/{}/{}", KindPlural(kind), NameKey(owner), NameKey(name));
}

struct Names {
  std::string owner, name;
};

// Of "ns/name"; kCorrupt for what cannot be a repository's name here.
Result<Names> SplitId(const std::string& id) {
  const size_t slash = std::min(id.find('/'), id.size());
  Names names = {id.substr(0, slash), id.substr(std::min(slash + 1, id.size()))};
  if (CheckNamespaceName(names.owner) && CheckRepositoryName(names.name)) return names;
  return Fail(ErrorCode::kCorrupt, "the other hub says that the repository is called \"{}\"", git::Printable(id));
}

Gating GatingOf(const client::RemoteRepository& original) {
  return GatingOfName(original.gated).value_or(Gating::kNone);
}

void RemoveOldParts(const std::filesystem::path& folder) {
  const auto oldest = std::filesystem::file_time_type::clock::now() - Mirror::kPartsAreKept;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.last_write_time(error) < oldest && !error) std::filesystem::remove(entry.path(), error);
  }
}

}  // namespace

client::RetryPolicy MirrorRetries() {
  return {.attempts = 3, .wait_a_second = [] { std::this_thread::sleep_for(std::chrono::seconds(1)); }};
}

// Kept by itself until it has run, as the pool asks for.
class Mirror::ArrivalJob final : public net::WorkerPool::Job {
 public:
  static bool Submit(Mirror& mirror, std::shared_ptr<Arrival> arrival) {
    auto job = std::unique_ptr<ArrivalJob>(new ArrivalJob(mirror, std::move(arrival)));
    if (!mirror.arrival_threads_.Submit(*job)) return false;
    (void)job.release();
    return true;
  }

  void Run() override {
    const std::unique_ptr<ArrivalJob> self(this);
    mirror_.RunArrival(*arrival_);
  }

 private:
  ArrivalJob(Mirror& mirror, std::shared_ptr<Arrival> arrival) : mirror_(mirror), arrival_(std::move(arrival)) {}

  Mirror& mirror_;
  const std::shared_ptr<Arrival> arrival_;
};

// One at a time moves the refs of a mirror.
class Mirror::Turn {
 public:
  Turn(Mirror& mirror, int64_t id) : mirror_(mirror), id_(id) {
    std::unique_lock lock(mirror_.mutex_);
    mirror_.changed_.wait(lock, [&] { return mirror_.followed_.insert(id_).second; });
  }
  ~Turn() {
    const std::lock_guard lock(mirror_.mutex_);
    mirror_.followed_.erase(id_);
    mirror_.changed_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Mirror& mirror_;
  const int64_t id_;
};

Result<std::unique_ptr<Mirror>> Mirror::Open(Hub& hub, const MirrorOptions& options, Metrics& metrics) {
  const std::filesystem::path folder = hub.data() / "mirror";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Fail(ErrorCode::kInternal, "{}: cannot be made: {}", folder.string(), error.message());
  RemoveOldParts(folder);
  return std::unique_ptr<Mirror>(new Mirror(hub, options, metrics, folder));
}

Mirror::Mirror(Hub& hub, const MirrorOptions& options, Metrics& metrics, std::filesystem::path folder)
    : hub_(hub),
      options_(options),
      folder_(std::move(folder)),
      repositories_(metrics.AddCounters("bothy_mirror_repositories_total",
                                        "Repositories that were brought from the other hub, or have changed there.",
                                        {"outcome"})),
      files_(metrics.AddCounters("bothy_mirror_files_total", "Large files that were fetched from the other hub.",
                                 {"outcome"})),
      bytes_(metrics.AddCounters("bothy_mirror_bytes_total", "Bytes of large files that have come.", {})),
      file_http_({.max_connections_per_host = kFilesAtOnce * static_cast<int>(Arrival::kConnections)}),
      questions_(question_http_, options_.endpoint, options_.retries, stopping_),
      files_of_(file_http_, options_.endpoint, options_.retries, stopping_) {}

Mirror::~Mirror() { Stop(); }

void Mirror::Stop() {
  stopping_ = true;
  stop_.request_stop();
  brings_.Stop();
  refreshes_.Stop();
  const std::lock_guard lock(mutex_);
  for (const auto& [key, arrival] : arrivals_) arrival->Cancel();
}

std::string Mirror::AddressOf(RepositoryKind kind, const std::string& id) const {
  return fmt::format("{}/{}{}", options_.endpoint.address, KindPrefix(kind), id);
}

std::optional<HubName> Mirror::OriginalOf(const Repository& mirror) const {
  const std::string before = AddressOf(mirror.kind, "");
  if (!mirror.mirror_of.starts_with(before)) return std::nullopt;
  return HubName{.type = std::string(KindPlural(mirror.kind)),
                 .id = mirror.mirror_of.substr(before.size()),
                 .revision = {},
                 .file = {}};
}

git::FetchSource Mirror::SourceOf(RepositoryKind kind, const std::string& id) const {
  git::FetchSource source = {.address = AddressOf(kind, id), .authorization = {}};
  // Of the name and password that git would send, hubs look at the password.
  const std::string login = "token:" + options_.endpoint.token;
  if (!options_.endpoint.token.empty()) {
    source.authorization = "Basic " + EncodeBase64(std::as_bytes(std::span(login)));
  }
  return source;
}

bool Mirror::SeenLately(const Seen& seen, const std::string& key) const {
  const auto found = seen.find(key);
  return found != seen.end() && hub_.now() < found->second + options_.refresh;
}

void Mirror::NoteSeen(Seen& seen, const std::string& key) {
  if (seen.size() >= kMaxRemembered) seen.clear();
  seen[key] = hub_.now();
}

bool Mirror::Away() const {
  const std::lock_guard lock(mutex_);
  return away_ && hub_.now() < *away_ + std::min(options_.refresh, kAwayFor);
}

Result<client::RemoteRepository> Mirror::Ask(const HubName& name) {
  if (Away()) {
    return Fail(ErrorCode::kUnavailable, "{} could not be reached a moment ago", options_.endpoint.address);
  }
  auto found = questions_.FindRepository(name);
  const bool away = !found && found.error().code == ErrorCode::kUnavailable;
  const std::lock_guard lock(mutex_);
  if (away && !away_) {
    Log(LogLevel::kWarning, "upstream away", {{"upstream", options_.endpoint.address}, {"error", found.error()}});
  } else if (!away && away_) {
    Log(LogLevel::kInfo, "upstream back", {{"upstream", options_.endpoint.address}});
  }
  away_ = away ? std::optional(hub_.now()) : std::nullopt;
  return found;
}

Result<bool> Mirror::Bring(RepositoryKind kind, const std::string& owner, const std::string& name) {
  if (!CheckNamespaceName(owner) || !CheckRepositoryName(name)) return false;
  const std::string key = KeyOf(kind, owner, name);
  {
    const std::lock_guard lock(mutex_);
    if (SeenLately(missing_, key)) return false;
  }
  if (!TRY(MayMirrorInto(hub_.database(), owner))) return false;
  return brings_.Do(key, kPatience, [this, kind, owner, name] { return BringNow(kind, owner, name); });
}

Result<bool> Mirror::BringNow(RepositoryKind kind, const std::string& owner, const std::string& name) {
  const auto original =
      Ask({.type = std::string(KindPlural(kind)), .id = fmt::format("{}/{}", owner, name), .revision = {}, .file = {}});
  if (!original && original.error().code == ErrorCode::kNotFound) {
    const std::lock_guard lock(mutex_);
    NoteSeen(missing_, KeyOf(kind, owner, name));
    return false;
  }
  if (!original) return tl::unexpected(original.error());
  auto made = Make(kind, owner, name, *original);
  const std::string address = AddressOf(kind, original->id);
  if (!made) {
    repositories_.Add({"failed"});
    Log(LogLevel::kWarning, "repository not brought", {{"address", address}, {"error", made.error()}});
  }
  return made;
}

Result<bool> Mirror::Make(RepositoryKind kind, const std::string& owner, const std::string& name,
                          const client::RemoteRepository& original) {
  const Names names = TRY(SplitId(original.id));
  auto here = TRY(hub_.repositories().Find({}, kind, names.owner, names.name));
  if (!here) {
    const auto owned = TRY(ClaimMirroredNamespace(hub_.database(), names.owner, hub_.now()));
    if (!owned) return false;
    const auto made = hub_.repositories().CreateFilled(
        {},
        {.kind = kind,
         .owner_id = owned->id,
         .owner = owned->name,
         .name = names.name,
         .is_private = original.is_private,
         .gating = GatingOf(original),
         .license = {},
         .space_sdk = {}},
        [&](const Repository& repository, const auto&) -> Result<void> {
          TRY(RecordMirror(hub_.database(), repository, AddressOf(kind, original.id)));
          TRY(FollowRefs(hub_, repository, SourceOf(kind, original.id), stop_.get_token()));
          return {};
        });
    if (!made) {
      // Nobody knows of a namespace in which there is nothing.
      (void)ReleaseMirroredNamespace(hub_.database(), *owned);
      return tl::unexpected(made.error());
    }
    repositories_.Add({"brought"});
    Log(LogLevel::kInfo, "repository brought",
        {{"repository", made->folder}, {"address", AddressOf(kind, original.id)}});
    here = TRY(hub_.repositories().FindById({}, made->id));
  }
  if (!here || here->repository.mirror_of.empty()) return false;
  if (KeyOf(kind, owner, name) != KeyOf(kind, names.owner, names.name)) {
    TRY(RecordFormerName(hub_.database(), here->repository, owner, name));
  }
  return true;
}

bool Mirror::Refresh(const Repository& mirror, const std::optional<std::string>& revision) {
  if (!OriginalOf(mirror) || Away()) return false;
  const std::string key = fmt::format("{} {}", mirror.id, revision.value_or("*"));
  if (!refreshes_.Knows(key)) {
    const std::lock_guard lock(mutex_);
    if (SeenLately(looked_for_, key)) return false;
    NoteSeen(looked_for_, key);
  }
  const auto refreshed =
      refreshes_.Do(key, kRefreshPatience, [this, mirror, revision] { return RefreshNow(mirror, revision); });
  return refreshed.value_or(false);
}

Result<bool> Mirror::RefreshNow(const Repository& mirror, const std::optional<std::string>& revision) {
  const auto refreshed = [&]() -> Result<bool> {
    const auto git = TRY(hub_.repositories().Open(mirror));
    const auto here = revision ? git::Resolve(*git, *revision) : Result<git::Oid>(git::Oid());
    // A commit never changes.
    if (revision && here && here->ToHex().starts_with(*revision) && revision->size() == kCommitDigits) return false;

    HubName name = *OriginalOf(mirror);
    name.revision = revision.value_or("");
    auto original = Ask(name);
    const bool revision_missing = revision && !original && original.error().code == ErrorCode::kNotFound;
    if (revision_missing) {
      name.revision.clear();
      original = Ask(name);
      if (original && !here) return false;  // neither here nor there
    }
    if (!original) {
      if (original.error().code == ErrorCode::kNotFound) {
        Log(LogLevel::kWarning, "original gone", {{"repository", mirror.folder}, {"address", mirror.mirror_of}});
        return false;
      }
      return tl::unexpected(original.error());
    }
    bool changed = TRY(FollowSettings(mirror, *original));
    if (revision && !revision_missing && here && here->ToHex() == original->commit) return changed;
    const Turn turn(*this, mirror.id);
    if (TRY(FollowRefs(hub_, mirror, SourceOf(mirror.kind, original->id), stop_.get_token()))) {
      changed = true;
      repositories_.Add({"refreshed"});
      Log(LogLevel::kInfo, "mirror refreshed", {{"repository", mirror.folder}});
    }
    return changed;
  }();
  // What cannot be reached is logged once, by Ask.
  if (!refreshed && refreshed.error().code != ErrorCode::kUnavailable) {
    Log(LogLevel::kWarning, "mirror not refreshed", {{"repository", mirror.folder}, {"error", refreshed.error()}});
  }
  return refreshed;
}

Result<bool> Mirror::FollowSettings(const Repository& mirror, const client::RemoteRepository& original) {
  const bool has_gate = mirror.kind == RepositoryKind::kModel || mirror.kind == RepositoryKind::kDataset;
  const Gating gating = has_gate ? GatingOf(original) : mirror.gating;
  if (mirror.is_private == original.is_private && mirror.gating == gating) return false;
  TRY(hub_.repositories().Change({}, mirror,
                                 {.is_private = original.is_private, .gating = gating, .disabled = std::nullopt}));
  return true;
}

Result<std::shared_ptr<Arriving>> Mirror::Fetch(const Repository& mirror, const git::Pointer& pointer) {
  const auto original = OriginalOf(mirror);
  if (!original) {
    return Fail(ErrorCode::kUnavailable, "{} is a mirror of {}, which is not the hub that this one asks",
                mirror.FullName(), mirror.mirror_of);
  }
  const std::string key = fmt::format("{} {}", pointer.sha256, pointer.size);
  const std::lock_guard lock(mutex_);
  if (stopping_) return Fail(ErrorCode::kUnavailable, "the hub is stopping");
  if (const auto under_way = arrivals_.find(key); under_way != arrivals_.end()) return under_way->second;
  if (TRY(hub_.content().FindBySha256(TRY(ParseSha256(pointer.sha256))))) return nullptr;  // it has just come
  if (const auto failed = failures_.find(key); failed != failures_.end()) {
    if (hub_.now() < failed->second.until) return tl::unexpected(failed->second.error);
    failures_.erase(failed);
  }
  auto arrival = std::make_shared<Arrival>(files_of_, *original, pointer, folder_,
                                           [this](uint64_t bytes) { bytes_.Add({}, static_cast<double>(bytes)); });
  if (!ArrivalJob::Submit(*this, arrival)) {
    return Fail(ErrorCode::kUnavailable, "too much is fetched from the other hub at once: try again later");
  }
  arrivals_.emplace(key, arrival);
  return arrival;
}

void Mirror::RunArrival(Arrival& arrival) {
  const git::Pointer& pointer = arrival.pointer();
  const auto done = arrival.Run(hub_.content());
  files_.Add({done ? "brought" : "failed"});
  if (!done && done.error().code != ErrorCode::kCancelled) {
    Log(LogLevel::kWarning, "file not fetched", {{"sha256", pointer.sha256}, {"error", done.error()}});
  }
  RemoveOldParts(folder_);
  const std::string key = fmt::format("{} {}", pointer.sha256, pointer.size);
  const std::lock_guard lock(mutex_);
  arrivals_.erase(key);
  // What an earlier try has left may have been wrong: then the next one is right.
  if (done || done.error().code != ErrorCode::kCorrupt || arrival.resumed()) return;
  if (failures_.size() >= kMaxRemembered) failures_.clear();
  failures_[key] = {hub_.now() + std::min(options_.refresh, kAwayFor), done.error()};
}

}  // namespace bothy
