// Work that is done once for everybody who asks for it meanwhile, on threads of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/error.h"
#include "net/executor.h"

namespace bothy {

class SharedWork {  // Safe to use from several threads.
 public:
  using Work = std::function<Result<bool>()>;

  SharedWork(int threads, size_t max_waiting) : pool_(threads, max_waiting) {}
  ~SharedWork() { Stop(); }  // waits for what has begun
  SharedWork(const SharedWork&) = delete;
  SharedWork& operator=(const SharedWork&) = delete;

  // What the work of this key comes to: that which is under way, or else `work`. kUnavailable after `patience`; it goes
  // on without who waited for it. `work` may be called after this has returned.
  Result<bool> Do(const std::string& key, std::chrono::milliseconds patience, Work work);

  // Whether work of this key is under way.
  bool Knows(const std::string& key) const;

  // Nobody waits any more, and nothing is begun: all of it is kUnavailable.
  void Stop();

 private:
  struct Job;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<Job>> jobs_;
  bool stopped_ = false;
  net::WorkerPool pool_;  // the last: its threads end first
};

}  // namespace bothy
