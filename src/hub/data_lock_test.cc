#include "hub/data_lock.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing.h"

namespace bothy {
namespace {

TEST(DataLock, OneHoldsItAndTheOthersAreToldWho) {
  const TemporaryFolder folder;
  {
    const auto first = DataLock::Take(folder.path(), DataLockKind::kRepositories, "bothy serve");
    ASSERT_OK(first);
    const auto second = DataLock::Take(folder.path(), DataLockKind::kRepositories, "bothy gc");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(second.error().message, testing::HasSubstr(fmt::format("{} is in use by bothy serve (process {})",
                                                                       folder.path().string(), getpid())));
    EXPECT_OK(DataLock::Take(folder.path(), DataLockKind::kRemoval, "bothy gc"));
  }
  EXPECT_OK(DataLock::Take(folder.path(), DataLockKind::kRepositories, "bothy gc"));
}

TEST(DataLock, AProgramThatIsKilledHoldsItNoLonger) {
  const TemporaryFolder folder;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t process = fork();
  ASSERT_GE(process, 0);
  if (process == 0) {
    const auto lock = DataLock::Take(folder.path(), DataLockKind::kRepositories, "bothy serve");
    const char taken = lock ? 1 : 0;
    (void)!write(ends[1], &taken, 1);
    pause();
    _exit(0);
  }
  close(ends[1]);
  char taken = 0;
  ASSERT_EQ(read(ends[0], &taken, 1), 1);
  EXPECT_EQ(taken, 1);
  EXPECT_FALSE(DataLock::Take(folder.path(), DataLockKind::kRepositories, "bothy gc"));
  kill(process, SIGKILL);
  ASSERT_EQ(waitpid(process, nullptr, 0), process);
  EXPECT_OK(DataLock::Take(folder.path(), DataLockKind::kRepositories, "bothy gc"));
  close(ends[0]);
}

TEST(DataLock, AFolderThatIsNotThereIsAnError) {
  EXPECT_FALSE(DataLock::Take("/nonexistent", DataLockKind::kRemoval, "bothy gc"));
}

}  // namespace
}  // namespace bothy
