// A sink for who wants to wait for events: the scheduler puts them in, one reader takes them out in its own time.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "runtime/scheduler/stream_request.h"

namespace bothy {

class StreamQueue {
 public:
  void Put(StreamEvent event);
  StreamEvent Take();  // waits for one

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<StreamEvent> events_;
};

// A sink that shares the queue with its reader.
inline StreamSink SinkInto(std::shared_ptr<StreamQueue> queue) {
  return [queue = std::move(queue)](StreamEvent event) { queue->Put(std::move(event)); };
}

}  // namespace bothy
