#include "hub/lfs_locks.h"

#include "hub/repositories_testing.h"

namespace bothy {
namespace {

class LfsLocksTest : public RepositoriesTest {
 protected:
  void SetUp() override {
    RepositoriesTest::SetUp();
    if (IsSkipped()) return;
    repository_ = Make(ada_, "demo");
  }

  LfsLocks::Made Lock(const Actor& actor, const std::string& path) {
    const auto made = LfsLocks(*database_).Lock(repository_, actor, path, Timestamp(std::chrono::seconds(5)));
    EXPECT_OK(made);
    return made.value_or(LfsLocks::Made{});
  }

  std::vector<std::string> Paths(const LfsLockFilter& filter) {
    std::vector<std::string> paths;
    const auto locks = LfsLocks(*database_).List(repository_, filter);
    EXPECT_OK(locks);
    for (const LfsLock& lock : *locks) paths.push_back(lock.path);
    return paths;
  }

  Repository repository_;
};
BOTHY_ON_BOTH_DATABASES(LfsLocksTest);

TEST_P(LfsLocksTest, AFileHasOneLock) {
  const auto first = Lock(ada_, "a/model.bin");
  EXPECT_TRUE(first.is_new);
  EXPECT_EQ(first.lock.owner, "ada");
  EXPECT_EQ(first.lock.locked_at, Timestamp(std::chrono::seconds(5)));
  const auto second = Lock(bob_, "a/model.bin");
  EXPECT_FALSE(second.is_new);
  EXPECT_EQ(second.lock, first.lock);
}

TEST_P(LfsLocksTest, AreListedInPagesAndByPath) {
  for (const char* path : {"c", "a", "b"}) Lock(ada_, path);
  const auto first = LfsLocks(*database_).List(repository_, {.path = {}, .id = {}, .after = 0, .limit = 2});
  ASSERT_OK(first);
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ((*first)[0].path, "c");
  EXPECT_EQ(Paths({.path = {}, .id = {}, .after = first->back().id}), std::vector<std::string>{"b"});
  EXPECT_EQ(Paths({.path = "a", .id = {}}), std::vector<std::string>{"a"});
  EXPECT_EQ(Paths({.path = {}, .id = first->front().id}), std::vector<std::string>{"c"});
}

TEST_P(LfsLocksTest, UnlockedFilesCanBeLockedAgainAndOtherRepositoriesHaveTheirOwn) {
  const auto lock = Lock(ada_, "a").lock;
  const Repository other = Make(ada_, "other");
  EXPECT_EQ(LfsLocks(*database_).Unlock(other, lock.id), false);
  EXPECT_EQ(LfsLocks(*database_).Unlock(repository_, lock.id), true);
  EXPECT_EQ(LfsLocks(*database_).Unlock(repository_, lock.id), false);
  EXPECT_TRUE(Lock(bob_, "a").is_new);
}

TEST_P(LfsLocksTest, WhatCanBeNoFileCannotBeLocked) {
  for (const char* path : {"", "../a", "/a", "a/.git/b"}) {
    const auto made = LfsLocks(*database_).Lock(repository_, ada_, path, Timestamp());
    ASSERT_FALSE(made) << path;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_P(LfsLocksTest, GoWithTheirRepository) {
  Lock(ada_, "a");
  ASSERT_OK(repositories_->Delete(ada_, repository_));
  EXPECT_EQ(Count("SELECT COUNT(*) FROM lfs_locks"), 0);
}

}  // namespace
}  // namespace bothy
