#include "tensor/thread_pool.h"

#include <gtest/gtest.h>

#include <numeric>

namespace bothy {
namespace {

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    std::vector<std::atomic<int>> count(1000);
    for (int round = 0; round < 200; round++) {
      pool.ParallelFor(count.size(), [&](size_t task, int thread) {
        ASSERT_LT(thread, threads);
        count[task]++;
      });
    }
    for (const auto& c : count) EXPECT_EQ(c.load(), 200);
  }
}

TEST(ThreadPool, WorkersThatWentToSleepWakeAgain) {
  ThreadPool pool(3);
  std::atomic<int> sum = 0;
  for (int round = 0; round < 20; round++) {
    pool.ParallelFor(8, [&](size_t task, int) { sum += static_cast<int>(task); });
    std::atomic<int> never = 0;  // longer than the workers spin, without a clock: they are asleep or about to be
    for (int i = 0; i < 300'000; i++) never.fetch_add(1);
  }
  EXPECT_EQ(sum, 20 * 28);
}

TEST(ThreadPool, NoTasksIsNoWork) {
  ThreadPool pool(2);
  pool.ParallelFor(0, [](size_t, int) { FAIL(); });
}

}  // namespace
}  // namespace bothy
