// Where coroutines run. A connection's coroutine runs on one network thread for as long as it lives, and never blocks
// there; what blocks (disk, database, engine) goes to a WorkerPool and back:
//
//   auto rows = co_await RunBlocking(workers, [&] { return database.Query(sql); });
//   const Rows found = CO_TRY(rows);
#pragma once

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "net/task.h"

namespace bothy::net {

class Executor {
 public:
  virtual ~Executor() = default;

  // Resumes `coroutine` on the executor's thread, soon. Any thread may call it.
  virtual void Post(std::coroutine_handle<> coroutine) = 0;

  // The executor whose thread this is; null on every other thread.
  static Executor* Current();

 protected:
  static void SetCurrent(Executor* executor);
};

// Threads for work that blocks, with a bounded queue in front.
class WorkerPool {
 public:
  WorkerPool(int threads, size_t max_waiting);
  ~WorkerPool();  // finishes what was accepted
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  struct Job {
    virtual void Run() = 0;

   protected:
    ~Job() = default;
  };

  // False where `max_waiting` jobs wait already. The job must live until it has run.
  bool Submit(Job& job);

 private:
  void Work();

  const size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job*> waiting_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

namespace internal {

template <class T>
struct AsResult {
  using Type = Result<T>;
};
template <class T>
struct AsResult<Result<T>> {
  using Type = Result<T>;
};

template <class Function>
class BlockingCall final : public WorkerPool::Job {
 public:
  using Value = typename AsResult<std::invoke_result_t<Function&>>::Type;

  BlockingCall(WorkerPool& pool, Function& function) : pool_(pool), function_(function) {}

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> coroutine) {
    coroutine_ = coroutine;
    executor_ = Executor::Current();
    CHECK(executor_ != nullptr);
    return pool_.Submit(*this);  // once accepted it may already be over: nothing may touch `this` any more
  }
  Value await_resume() {
    if (!value_) return Fail(ErrorCode::kUnavailable, "too much is waiting to be done, try again later");
    return *std::move(value_);
  }

  void Run() override {
    if constexpr (std::is_void_v<std::invoke_result_t<Function&>>) {
      function_();
      value_.emplace();
    } else {
      value_.emplace(function_());
    }
    executor_->Post(coroutine_);
  }

 private:
  WorkerPool& pool_;
  Function& function_;
  std::optional<Value> value_;
  std::coroutine_handle<> coroutine_;
  Executor* executor_ = nullptr;
};

}  // namespace internal

// Runs `function` on a thread of the pool; the awaiting coroutine goes on where it was. The value is function's, as a
// Result; kUnavailable where the pool's queue is full. What the function refers to stays until it is done: a coroutine
// that waits for it cannot go away, however its connection fares.
template <class Function>
Task<typename internal::BlockingCall<Function>::Value> RunBlocking(WorkerPool& pool, Function function) {
  internal::BlockingCall<Function> call(pool, function);
  co_return co_await call;
}

namespace internal {
struct GoOnAt {
  Executor& executor;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) const { executor.Post(coroutine); }
  void await_resume() const noexcept {}
};
}  // namespace internal

// Runs a task on another executor; the awaiting coroutine goes on where it was. For a thread that is not one, such as a
// worker's: RunToCompletion(RunOn(network_thread, ...)).
template <class T>
Task<T> RunOn(Executor& executor, Task<T> task) {
  Executor* const here = Executor::Current();
  CHECK(here != nullptr);
  co_await internal::GoOnAt{executor};
  T value = co_await task;
  co_await internal::GoOnAt{*here};
  co_return value;
}

// Starts a task on the executor whose thread this is. Nobody waits for it; it frees itself when it is done.
void Spawn(Task<void> task);

namespace internal {
void RunUntilDone(Task<void> task);

template <class T>
Task<void> StoreValue(Task<T>& task, std::optional<T>& value) {
  value.emplace(co_await task);
}
}  // namespace internal

// Runs a task on this thread until it is done: for programs and tests that have no network thread. Not from one.
template <class T>
T RunToCompletion(Task<T> task) {
  std::optional<T> value;
  internal::RunUntilDone(internal::StoreValue(task, value));
  return *std::move(value);
}
inline void RunToCompletion(Task<void> task) { internal::RunUntilDone(std::move(task)); }

}  // namespace bothy::net
