#include "runtime/scheduler/scheduler.h"

#include <chrono>

namespace bothy {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

Result<std::unique_ptr<Scheduler>> Scheduler::Create(Engine& engine, const Tokenizer* tokenizer,
                                                     SchedulerOptions options) {
  CostModel cost = TRY(CostModel::Measure(engine, Now));
  return std::unique_ptr<Scheduler>(new Scheduler(engine, tokenizer, std::move(cost), std::move(options)));
}

Scheduler::Scheduler(Engine& engine, const Tokenizer* tokenizer, CostModel cost, SchedulerOptions options)
    : core_(engine, tokenizer, std::move(cost), std::move(options), Now),
      stats_(core_.stats()),
      thread_([this] { Work(); }) {}

Scheduler::~Scheduler() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Result<StreamId> Scheduler::Submit(StreamRequest asked, StreamSink sink) {
  std::unique_ptr<Request> request = TRY(core_.Prepare(std::move(asked), std::move(sink)));
  const StreamId id = request->id;
  {
    const std::lock_guard lock(mutex_);
    arrived_.push_back(std::move(request));
  }
  wake_.notify_one();
  return id;
}

void Scheduler::Cancel(StreamId id) {
  {
    const std::lock_guard lock(mutex_);
    cancelled_.push_back(id);
  }
  wake_.notify_one();
}

SchedulerStats Scheduler::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void Scheduler::Work() {
  bool more = false;  // for the core to do
  for (;;) {
    std::vector<std::unique_ptr<Request>> arrived;
    std::vector<StreamId> cancelled;
    bool stop = false;
    {
      std::unique_lock lock(mutex_);
      stats_ = core_.stats();
      wake_.wait(lock, [&] { return more || stop_ || !arrived_.empty() || !cancelled_.empty(); });
      arrived.swap(arrived_);
      cancelled.swap(cancelled_);
      stop = stop_;
    }
    for (std::unique_ptr<Request>& request : arrived) core_.Add(std::move(request));
    for (const StreamId id : cancelled) core_.Cancel(id);
    if (stop) {
      core_.EndAll({ErrorCode::kUnavailable, "the model is being unloaded: ask again"});
      return;
    }
    more = core_.Step();
  }
}

}  // namespace bothy
