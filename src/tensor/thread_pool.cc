#include "tensor/thread_pool.h"

#include <sched.h>

#include <chrono>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace bothy {
namespace {

// Long enough to bridge the gap between two operations of a forward pass, short enough to leave the core to others
// between two requests.
constexpr auto kSpinTime = std::chrono::microseconds(200);

void Pause() {
#ifdef __x86_64__
  _mm_pause();
#endif
}

int AvailableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  if (threads <= 0) threads = AvailableCores();
  for (int i = 1; i < threads; i++) workers_.emplace_back([this, i] { Work(i); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  epoch_.value.fetch_add(1);
  epoch_.value.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::TakeTasks(int thread) {
  for (;;) {
    const size_t task = next_.value.fetch_add(1, std::memory_order_relaxed);
    if (task >= tasks_) return;
    function_(context_, task, thread);
  }
}

void ThreadPool::Run(size_t tasks, TaskFunction function, void* context) {
  if (tasks == 0) return;
  if (workers_.empty() || tasks == 1) {
    for (size_t task = 0; task < tasks; task++) function(context, task, 0);
    return;
  }
  function_ = function;
  context_ = context;
  tasks_ = tasks;
  next_.value.store(0, std::memory_order_relaxed);
  finished_.value.store(0, std::memory_order_relaxed);
  epoch_.value.fetch_add(1);  // sequentially consistent, as the workers' count of sleepers: one of both sees the other
  if (sleepers_.value.load() > 0) epoch_.value.notify_all();
  TakeTasks(0);
  int spins = 0;
  while (finished_.value.load(std::memory_order_acquire) < workers_.size()) {
    Pause();
    // A worker that lost its core to another program would otherwise be waited for by burning ours.
    if (++spins % 4096 == 0) std::this_thread::yield();
  }
}

void ThreadPool::Work(int thread) {
  uint64_t seen = 0;
  for (;;) {
    const auto start = std::chrono::steady_clock::now();
    for (int spins = 1; epoch_.value.load(std::memory_order_acquire) == seen; spins++) {
      Pause();
      if (spins % 256 != 0 || std::chrono::steady_clock::now() - start < kSpinTime) continue;
      sleepers_.value.fetch_add(1);
      epoch_.value.wait(seen);
      sleepers_.value.fetch_sub(1);
    }
    seen++;  // Run waits for all workers, so an epoch is never skipped
    if (stop_.load()) return;
    TakeTasks(thread);
    finished_.value.fetch_add(1, std::memory_order_release);
  }
}

}  // namespace bothy
