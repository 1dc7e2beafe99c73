#include "runtime/scheduler/stream_queue.h"

namespace bothy {

void StreamQueue::Put(StreamEvent event) {
  {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  arrived_.notify_one();
}

StreamEvent StreamQueue::Take() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [&] { return !events_.empty(); });
  StreamEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

}  // namespace bothy
