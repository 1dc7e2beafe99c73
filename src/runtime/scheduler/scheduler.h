// One model's scheduler: a thread that runs the texts of all requests through the engine while there are any, and
// sleeps while there are none.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/scheduler/scheduler_core.h"

namespace bothy {

class Scheduler {
 public:
  // Measures how fast the engine is, which takes about half a second. The engine, its thread pool and its cache are the
  // scheduler's alone from here on; they and the tokenizer, which may be null, must outlive it.
  static Result<std::unique_ptr<Scheduler>> Create(Engine& engine, const Tokenizer* tokenizer,
                                                   SchedulerOptions options);

  // Ends all requests with kUnavailable.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // All of these from any thread, from a sink too. Errors are those of SchedulerCore::Prepare; after one the sink is
  // never called. Else it is, until RequestEnd.
  Result<StreamId> Submit(StreamRequest request, StreamSink sink);
  // The reader is gone. The text ends before the next step, which frees its pages.
  void Cancel(StreamId id);
  // As it was after the last step.
  SchedulerStats stats() const;

 private:
  Scheduler(Engine& engine, const Tokenizer* tokenizer, CostModel cost, SchedulerOptions options);
  void Work();

  SchedulerCore core_;  // only the thread's, but for Prepare
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::unique_ptr<Request>> arrived_;
  std::vector<StreamId> cancelled_;
  bool stop_ = false;
  SchedulerStats stats_;
  std::thread thread_;
};

}  // namespace bothy
