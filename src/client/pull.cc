#include "client/pull.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "base/hex.h"
#include "client/partial_file.h"
#include "client/range_fetch.h"
#include "crypto/sha.h"

namespace bothy::client {
namespace {

constexpr auto kLook = std::chrono::milliseconds(100);  // how often progress is shown and a lock is tried
constexpr size_t kCheckBuffer = 1 << 20;

// What git hashes before a file's content.
std::string GitHeader(uint64_t size) { return fmt::format("blob {}", size) + '\0'; }

// The content's hash, as `file` has it.
Result<std::string> HashOf(const PartialFile& content, const RemoteFile& file, const std::atomic<bool>& stop) {
  Sha1 sha1;
  Sha256 sha256;
  if (!file.sha256) sha1.Update(GitHeader(content.size()));
  std::vector<std::byte> buffer(kCheckBuffer);
  for (uint64_t at = 0; at < content.size();) {
    if (stop) return Fail(ErrorCode::kCancelled, "interrupted");
    const auto piece = std::span(buffer).first(std::min<uint64_t>(buffer.size(), content.size() - at));
    TRY(content.Read(at, piece));
    file.sha256 ? sha256.Update(piece) : sha1.Update(piece);
    at += piece.size();
  }
  return file.sha256 ? EncodeHex(sha256.Finish()) : EncodeHex(sha1.Finish());
}

class Puller {
 public:
  Puller(const HubApi& api, const HubCache& cache, const PullPlan& plan, const PullOptions& options)
      : outer_(api),
        api_(api.Until(stop_)),
        plan_(plan),
        options_(options),
        cache_(cache, plan.name),
        xet_(api_, plan.name, plan.commit, options.now) {
    for (const PlannedContent& content : plan.missing) {
      jobs_.push_back(std::make_unique<Job>(content));
      if (content.fetch) total_ += content.file.size;
    }
  }

  Result<void> Run() {
    // Without the list the next pull asks for it again: no reason to fail where the cache is only to be read.
    if (plan_.new_tree) (void)cache_.WriteTree(plan_.commit, *plan_.new_tree);
    if (!jobs_.empty()) TRY(Fetch());
    return cache_.SetRef(plan_.name.revision.empty() ? "main" : plan_.name.revision, plan_.commit);
  }

 private:
  Result<void> Fetch() {
    TRY(CheckRoom());
    TRY(cache_.Prepare());
    std::vector<std::thread> threads;
    const int count = std::min(options_.connections, PullOptions::kMaxConnections);
    for (int i = 0; i < count; i++) threads.emplace_back([this] { Work(); });
    Watch(threads.size());
    for (std::thread& thread : threads) thread.join();
    if (error_) return tl::unexpected(*error_);
    if (outer_.cancelled()) return Fail(ErrorCode::kCancelled, "interrupted");
    return {};
  }

  // A content while it is fetched.
  struct Job {
    explicit Job(const PlannedContent& c) : content(c) {}
    const RemoteFile& file() const { return content.file; }

    const PlannedContent& content;
    std::optional<ContentLock> lock;
    std::unique_ptr<PartialFile> partial;
    bool resumed = false;           // some of it is from an earlier try
    std::atomic<bool> xet = false;  // by Xet, else by plain HTTP
    int open_parts = 0;             // under mutex_: waiting in parts_, or being fetched
  };

  // A part of a job. One that is alone finds out whether the others can be had apart from it.
  struct Part {
    Job* job = nullptr;
    size_t number = 0;
    bool alone = false;
  };

  class PartSink final : public RangeSink {
   public:
    PartSink(Puller& puller, const Part& part, Retries& retries) : puller_(puller), part_(part), retries_(retries) {}
    Result<void> Write(uint64_t offset, std::span<const std::byte> bytes) override {
      if (puller_.stop_) return Fail(ErrorCode::kCancelled, "interrupted");
      return part_.job->partial->Write(offset, bytes);
    }
    Result<void> Reached(uint64_t offset) override {
      const uint64_t news = TRY(part_.job->partial->SetReached(part_.number, offset));
      if (news > 0) retries_.Progressed();
      puller_.done_ += news;
      return {};
    }

   private:
    Puller& puller_;
    const Part& part_;
    Retries& retries_;
  };

  Result<void> CheckRoom() const {
    std::error_code error;
    std::filesystem::path folder = cache_.SnapshotPath(plan_.commit);
    while (!std::filesystem::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
    const auto space = std::filesystem::space(folder, error);
    if (error || space.available >= plan_.bytes_to_fetch) return {};
    return Fail(ErrorCode::kResourceExhausted,
                "{}: {} bytes are to be fetched and the disk of {} has room for {}: free some (bothy list, bothy rm), "
                "or let HF_HUB_CACHE name another folder",
                plan_.name.FullName(), plan_.bytes_to_fetch, folder.string(), space.available);
  }

  // On the calling thread, until all workers have ended.
  void Watch(size_t workers) {
    std::unique_lock lock(mutex_);
    while (ended_ < workers) {
      changed_.wait_for(lock, kLook);
      if (outer_.cancelled()) Stop();
      const uint64_t done = done_;
      lock.unlock();
      if (options_.progress) options_.progress(std::min(done, total_), total_);
      lock.lock();
    }
  }

  void Stop() {
    stop_ = true;
    changed_.notify_all();
  }

  // Parts of contents that are open already come first. So who waits for another process's lock holds none himself that
  // the other could wait for: every content that is locked has its parts with threads that do not wait.
  void Work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stop_ || busy_ == 0 || !parts_.empty() || next_job_ < jobs_.size(); });
      if (stop_ || (parts_.empty() && next_job_ == jobs_.size())) break;
      Result<void> result;
      busy_++;
      if (!parts_.empty()) {
        const Part part = parts_.front();
        parts_.pop_front();
        lock.unlock();
        result = FetchPart(part);
      } else {
        Job& job = *jobs_[next_job_++];
        lock.unlock();
        result = Open(job);
      }
      lock.lock();
      busy_--;
      if (!result && !error_ && !stop_) error_ = result.error();
      if (!result) Stop();
      changed_.notify_all();
    }
    ended_++;
    changed_.notify_all();
  }

  Result<void> Open(Job& job) {
    bool told = false;
    job.lock = TRY(cache_.Lock(job.file(), [&]() -> Result<void> {
      if (!told) Note(fmt::format("waiting for another process that fetches {}", job.file().path));
      told = true;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kLook);
      if (stop_) return Fail(ErrorCode::kCancelled, "interrupted");
      return {};
    }));
    if (!plan_.force && cache_.HasBlob(job.file())) {
      if (job.content.fetch) done_ += job.file().size;
      return Link(job);
    }
    job.partial = TRY(PartialFile::Open(cache_.PartialPath(job.file()), job.file().size));
    const uint64_t there = job.partial->BytesThere();
    job.resumed = there > 0;
    done_ += there;
    return Begin(job);
  }

  Result<void> Begin(Job& job) {
    std::vector<size_t> missing;
    for (size_t part = 0; part < job.partial->parts(); part++) {
      if (job.partial->Reached(part) < job.partial->PartEnd(part)) missing.push_back(part);
    }
    if (missing.empty()) return Finish(job);
    job.xet = job.file().xet && api_.endpoint().xet && !no_xet_;
    if (!job.xet) missing.resize(1);
    AddParts(job, missing, !job.xet);
    return {};
  }

  void AddParts(Job& job, const std::vector<size_t>& numbers, bool alone) {
    const std::lock_guard lock(mutex_);
    for (const size_t number : numbers) parts_.push_back({&job, number, alone});
    job.open_parts += static_cast<int>(numbers.size());
    changed_.notify_all();
  }

  Result<void> FetchPart(Part part) {
    TRY(FetchBytes(part));
    while (part.alone && !part.job->partial->Complete()) {
      // The server sends all or nothing, and has broken off in a later part.
      while (part.job->partial->Reached(part.number) == part.job->partial->PartEnd(part.number)) part.number++;
      TRY(FetchBytes(part));
    }
    {
      const std::lock_guard lock(mutex_);
      if (--part.job->open_parts > 0) return {};
    }
    return Finish(*part.job);
  }

  // The rest of a part. Once the hub is seen to give parts, the others are for everybody, and the part is not alone.
  Result<void> FetchBytes(Part& part) {
    Job& job = *part.job;
    PartialFile& partial = *job.partial;
    const RemoteContent content = {plan_.name, plan_.commit, job.file()};
    const uint64_t end = partial.PartEnd(part.number);
    Retries retries = api_.NewRetries();
    PartSink sink(*this, part, retries);
    const std::function<void()> takes_parts = [&] {
      part.alone = false;
      std::vector<size_t> others;
      for (size_t other = part.number + 1; other < partial.parts(); other++) {
        if (partial.Reached(other) < partial.PartEnd(other)) others.push_back(other);
      }
      AddParts(job, others, false);
    };
    while (partial.Reached(part.number) < end) {
      const uint64_t begin = partial.Reached(part.number);
      const auto fetched = job.xet ? xet_.Fetch(job.file(), begin, end, sink, retries)
                                   : FetchPlain(api_, content, begin, end, sink, retries,
                                                part.alone ? takes_parts : std::function<void()>());
      if (fetched) continue;
      if (job.xet && fetched.error().code == ErrorCode::kUnimplemented) {
        if (!no_xet_.exchange(true)) Note(fetched.error().message + "; going on without Xet");
        job.xet = false;
      } else if (!retries.Again(fetched.error())) {
        return tl::unexpected(fetched.error());
      }
    }
    return {};
  }

  Result<void> Finish(Job& job) {
    CHECK(job.partial->Complete());
    const RemoteFile& file = job.file();
    const std::string found = TRY(HashOf(*job.partial, file, stop_));
    if (found != file.etag()) {
      job.partial->Discard();
      if (!std::exchange(job.resumed, false)) {
        return Fail(ErrorCode::kCorrupt,
                    "{}: {}: what {} sent is not what it should be: expected {} {}, found {}; nothing of it was kept",
                    plan_.name.FullName(), file.path, api_.endpoint().address, file.sha256 ? "SHA-256" : "git's SHA-1",
                    file.etag(), found);
      }
      Note(fmt::format("{}: what an earlier try has left is damaged, fetching it anew", file.path));
      done_ -= file.size;
      job.partial = TRY(PartialFile::Open(cache_.PartialPath(file), file.size));
      return Begin(job);
    }
    TRY(job.partial->Finish(cache_.BlobPath(file)));
    return Link(job);
  }

  Result<void> Link(Job& job) {
    for (const RemoteFile& file : job.content.names) TRY(cache_.Link(plan_.commit, file));
    job.partial.reset();
    job.lock.reset();
    return {};
  }

  void Note(std::string_view text) {
    const std::lock_guard lock(note_mutex_);
    if (options_.note) options_.note(text);
  }

  const HubApi& outer_;  // whose flag is the caller's
  std::atomic<bool> stop_ = false;
  HubApi api_;
  const PullPlan& plan_;
  const PullOptions& options_;
  const RepositoryCache cache_;
  XetStorage xet_;
  std::atomic<bool> no_xet_ = false;
  uint64_t total_ = 0;
  std::atomic<uint64_t> done_ = 0;
  std::mutex note_mutex_;

  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Job>> jobs_;
  size_t next_job_ = 0;
  std::deque<Part> parts_;
  size_t busy_ = 0, ended_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<void> Pull(const HubApi& api, const HubCache& cache, const PullPlan& plan, const PullOptions& options) {
  return Puller(api, cache, plan, options).Run();
}

}  // namespace bothy::client
