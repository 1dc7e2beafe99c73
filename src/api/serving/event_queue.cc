#include "api/serving/event_queue.h"

namespace bothy::api {

struct EventQueue::Arrival {
  EventQueue& queue;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> coroutine) const {
    const std::lock_guard lock(queue.mutex_);
    if (!queue.events_.empty()) return false;
    queue.executor_ = net::Executor::Current();
    CHECK(queue.executor_ != nullptr);
    queue.waiting_ = coroutine;
    return true;
  }
  void await_resume() const noexcept {}
};

void EventQueue::Put(size_t prompt, StreamEvent event) {
  const std::lock_guard lock(mutex_);
  events_.emplace_back(prompt, std::move(event));
  if (waiting_) executor_->Post(std::exchange(waiting_, {}));
}

net::Task<std::vector<EventQueue::Event>> EventQueue::Take() {
  co_await Arrival{*this};
  const std::lock_guard lock(mutex_);
  co_return std::exchange(events_, {});
}

}  // namespace bothy::api
