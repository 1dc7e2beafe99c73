// Takes a model's events from its scheduler's thread to the network thread of who waits for them.
#pragma once

#include <coroutine>
#include <mutex>
#include <utility>
#include <vector>

#include "net/executor.h"
#include "net/task.h"
#include "runtime/scheduler/stream_request.h"

namespace bothy::api {

class EventQueue {
 public:
  using Event = std::pair<size_t, StreamEvent>;  // of which prompt

  // From any thread.
  void Put(size_t prompt, StreamEvent event);

  // All that has come, at least one. For one coroutine at a time.
  net::Task<std::vector<Event>> Take();

 private:
  struct Arrival;

  std::mutex mutex_;
  std::vector<Event> events_;
  std::coroutine_handle<> waiting_;
  net::Executor* executor_ = nullptr;
};

}  // namespace bothy::api
