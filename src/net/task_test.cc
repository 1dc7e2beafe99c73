#include "net/task.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "base/testing.h"
#include "net/executor.h"
#include "net/loop.h"

namespace bothy::net {
namespace {

Task<int> Number(int value) { co_return value; }

Task<Result<std::unique_ptr<int>>> Make(bool good) {
  if (!good) co_return Fail(ErrorCode::kNotFound, "no int");
  co_return std::make_unique<int>(7);
}

Task<Result<int>> Twice(bool first, bool second) {
  auto made = co_await Make(first);
  const auto a = CO_TRY(made);
  auto again = co_await Make(second);
  const auto b = CO_TRY_CONTEXT("second", again);
  co_return *a + *b;
}

TEST(Task, HandsOverItsValueOrItsError) {
  EXPECT_EQ(RunToCompletion(Number(3)), 3);
  EXPECT_EQ(RunToCompletion(Twice(true, true)), 14);
  EXPECT_EQ(RunToCompletion(Twice(false, true)).error().message, "no int");
  EXPECT_EQ(RunToCompletion(Twice(true, false)).error().message, "second: no int");
}

TEST(Task, DoesNotStartBeforeItIsAwaited) {
  bool started = false;
  const auto start = [&]() -> Task<void> {
    started = true;
    co_return;
  };
  {
    const Task<void> never = start();
  }
  EXPECT_FALSE(started);
  RunToCompletion(start());
  EXPECT_TRUE(started);
}

Task<int> Sum(int count) {
  int sum = 0;
  for (int i = 0; i < count; i++) sum += co_await Number(1);
  co_return sum;
}

// Without symmetric transfer each of these awaits would take some of the stack.
TEST(Task, AwaitingAMillionFinishedTasksTakesNoStack) { EXPECT_EQ(RunToCompletion(Sum(1'000'000)), 1'000'000); }

Task<std::pair<std::thread::id, std::thread::id>> ThreadsOfBlockingCall(WorkerPool& pool) {
  auto worker = co_await RunBlocking(pool, [] { return std::this_thread::get_id(); });
  co_return std::pair(worker.value(), std::this_thread::get_id());
}

TEST(RunBlocking, RunsOnAWorkerAndComesBack) {
  WorkerPool pool(2, 10);
  const auto [worker, after] = RunToCompletion(ThreadsOfBlockingCall(pool));
  EXPECT_NE(worker, std::this_thread::get_id());
  EXPECT_EQ(after, std::this_thread::get_id());
}

TEST(RunBlocking, PassesOnWhatTheFunctionReturns) {
  WorkerPool pool(1, 10);
  EXPECT_EQ(RunToCompletion(RunBlocking(pool, []() -> Result<std::string> { return "text"; })), "text");
  EXPECT_EQ(RunToCompletion(RunBlocking(pool, []() -> Result<void> { return Fail(ErrorCode::kCorrupt, "bad"); }))
                .error()
                .code,
            ErrorCode::kCorrupt);
  bool ran = false;
  EXPECT_OK(RunToCompletion(RunBlocking(pool, [&] { ran = true; })));
  EXPECT_TRUE(ran);
}

TEST(RunBlocking, IsRefusedWhereTheQueueIsFull) {
  WorkerPool none(0, 0);
  EXPECT_EQ(RunToCompletion(RunBlocking(none, [] { return 1; })).error().code, ErrorCode::kUnavailable);
}

Task<std::thread::id> ThisThread() { co_return std::this_thread::get_id(); }

Task<std::vector<std::thread::id>> ThereAndBack(Loop& loop) {
  std::vector<std::thread::id> threads;
  threads.push_back(co_await RunOn(loop, ThisThread()));
  threads.push_back(std::this_thread::get_id());
  threads.push_back(co_await RunOn(loop, ThisThread()));
  co_return threads;
}

TEST(RunOn, RunsThereAndComesBack) {
  Loop loop;
  const auto threads = RunToCompletion(ThereAndBack(loop));
  EXPECT_NE(threads[0], std::this_thread::get_id());
  EXPECT_EQ(threads[1], std::this_thread::get_id());
  EXPECT_EQ(threads[2], threads[0]);
}

struct CountingJob final : WorkerPool::Job {
  std::atomic<int>* runs;
  std::future<void> wait;
  void Run() override {
    if (wait.valid()) wait.get();
    runs->fetch_add(1);
  }
};

TEST(WorkerPool, TakesAsManyJobsAsItsQueueIsLongAndFinishesThem) {
  std::atomic<int> runs = 0;
  std::promise<void> release;
  CountingJob jobs[4];
  for (auto& job : jobs) job.runs = &runs;
  jobs[0].wait = release.get_future();
  {
    WorkerPool pool(1, 2);
    ASSERT_TRUE(pool.Submit(jobs[0]));
    while (!pool.Submit(jobs[1])) std::this_thread::yield();
    while (!pool.Submit(jobs[2])) std::this_thread::yield();  // once the worker has taken the first
    EXPECT_FALSE(pool.Submit(jobs[3]));
    release.set_value();
  }
  EXPECT_EQ(runs, 3);
}

}  // namespace
}  // namespace bothy::net
