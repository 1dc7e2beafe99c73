#include "mirror/shared_work.h"

namespace bothy {

// Kept by jobs_ until it has run, as the pool asks for.
struct SharedWork::Job final : net::WorkerPool::Job, std::enable_shared_from_this<SharedWork::Job> {
  Job(SharedWork& o, std::string k, Work w) : owner(o), key(std::move(k)), work(std::move(w)) {}

  void Run() override {
    const auto self = shared_from_this();
    bool stopped = false;
    {
      const std::lock_guard lock(owner.mutex_);
      stopped = owner.stopped_;
    }
    Result<bool> found = stopped ? Fail(ErrorCode::kUnavailable, "the hub is stopping") : work();
    const std::lock_guard lock(owner.mutex_);
    result = std::move(found);
    owner.jobs_.erase(key);
    owner.changed_.notify_all();
  }

  SharedWork& owner;
  const std::string key;
  const Work work;
  std::optional<Result<bool>> result;  // under the owner's mutex
};

Result<bool> SharedWork::Do(const std::string& key, std::chrono::milliseconds patience, Work work) {
  std::unique_lock lock(mutex_);
  if (stopped_) return Fail(ErrorCode::kUnavailable, "the hub is stopping");
  std::shared_ptr<Job>& place = jobs_[key];
  if (place == nullptr) {
    place = std::make_shared<Job>(*this, key, std::move(work));
    if (!pool_.Submit(*place)) {
      jobs_.erase(key);
      return Fail(ErrorCode::kUnavailable, "too much is asked of the other hub at once: try again later");
    }
  }
  const std::shared_ptr<Job> job = place;
  changed_.wait_for(lock, patience, [&] { return stopped_ || job->result; });
  if (job->result) return *job->result;
  return Fail(ErrorCode::kUnavailable, "{}: it is still being brought from the other hub: try again in a moment", key);
}

bool SharedWork::Knows(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return jobs_.contains(key);
}

void SharedWork::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace bothy
