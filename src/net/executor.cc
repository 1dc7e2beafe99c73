#include "net/executor.h"

namespace bothy::net {
namespace {

thread_local Executor* current_executor = nullptr;

// A coroutine that nobody owns: it starts at once and is gone when it ends.
struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

Detached RunDetached(Task<void> task) { co_await task; }

class ThisThread final : public Executor {
 public:
  ThisThread() : before_(Current()) { SetCurrent(this); }
  ~ThisThread() override { SetCurrent(before_); }

  void Post(std::coroutine_handle<> coroutine) override {
    // Notified under the lock: what is posted may be the last that anybody waits for, and then this is gone.
    const std::lock_guard lock(mutex_);
    ready_.push_back(coroutine);
    wake_.notify_one();
  }

  void RunUntil(const bool& done) {
    while (!done) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return !ready_.empty(); });
      const std::coroutine_handle<> next = ready_.front();
      ready_.pop_front();
      lock.unlock();
      next.resume();
    }
  }

 private:
  Executor* before_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::coroutine_handle<>> ready_;
};

Task<void> SetWhenDone(Task<void>& task, bool& done) {
  co_await task;
  done = true;
}

}  // namespace

Executor* Executor::Current() { return current_executor; }
void Executor::SetCurrent(Executor* executor) { current_executor = executor; }

WorkerPool::WorkerPool(int threads, size_t max_waiting) : max_waiting_(max_waiting) {
  for (int i = 0; i < threads; i++) threads_.emplace_back([this] { Work(); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::Submit(Job& job) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= max_waiting_) return false;
  waiting_.push_back(&job);
  wake_.notify_one();
  return true;
}

void WorkerPool::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stop_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Job* job = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    job->Run();
    lock.lock();
  }
}

void Spawn(Task<void> task) { RunDetached(std::move(task)); }

void internal::RunUntilDone(Task<void> task) {
  ThisThread executor;
  bool done = false;
  Spawn(SetWhenDone(task, done));
  executor.RunUntil(done);
}

}  // namespace bothy::net
