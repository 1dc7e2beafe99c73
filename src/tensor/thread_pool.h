// A persistent team of threads for the engine: wakes in well under a microsecond while it is busy, sleeps when idle.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace bothy {

class ThreadPool {
 public:
  // The calling thread is one of the team, so `threads` - 1 are started. 0: one for every core this process may use.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls function(task, thread) once for each task in [0, tasks), on whichever thread is free, and returns when all
  // are done. Tasks may run in any order. One call at a time; not from inside a task.
  template <class Function>
  void ParallelFor(size_t tasks, Function&& function) {
    using F = std::remove_reference_t<Function>;
    Run(
        tasks, [](void* f, size_t task, int thread) { (*static_cast<F*>(f))(task, thread); },
        const_cast<void*>(static_cast<const void*>(&function)));
  }

 private:
  using TaskFunction = void (*)(void* context, size_t task, int thread);
  struct alignas(64) Line {
    std::atomic<uint64_t> value{0};
  };

  void Run(size_t tasks, TaskFunction function, void* context);
  void Work(int thread);
  void TakeTasks(int thread);

  // What the current call is; written by the caller before `epoch_` moves on.
  TaskFunction function_ = nullptr;
  void* context_ = nullptr;
  size_t tasks_ = 0;
  Line next_;      // the next task to take
  Line epoch_;     // moves on with every call; workers wait for that
  Line finished_;  // workers that are done with the current call
  Line sleepers_;  // workers that stopped spinning and wait to be woken
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace bothy
