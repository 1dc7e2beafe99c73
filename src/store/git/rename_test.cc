#include "store/git/rename.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "base/testing.h"

namespace bothy::git {
namespace {

namespace fs = std::filesystem;

// The way that the file system of the tests offers, and the one for those that offer none.
class Rename : public testing::TestWithParam<Result<void> (*)(const fs::path&, const fs::path&)> {
 protected:
  void SetUp() override {
    fs::create_directory(from_);
    std::ofstream(from_ / "file") << "x";
  }
  Result<void> Move(const fs::path& from, const fs::path& to) const { return GetParam()(from, to); }

  TemporaryFolder folder_;
  fs::path from_ = folder_.path() / "from";
  fs::path to_ = folder_.path() / "to";
};

INSTANTIATE_TEST_SUITE_P(InOneStepOrTwo, Rename, testing::Values(RenameToFreeName, LookAndRename));

TEST_P(Rename, MovesAFolderToAFreeName) {
  ASSERT_OK(Move(from_, to_));
  EXPECT_FALSE(fs::exists(from_));
  EXPECT_EQ(ReadTestFile(to_ / "file"), "x");
}

TEST_P(Rename, ReplacesNothing) {
  fs::create_directory(to_);
  EXPECT_EQ(Move(from_, to_).error().code, ErrorCode::kAlreadyExists);
  std::ofstream(to_ / "theirs") << "y";
  EXPECT_EQ(Move(from_, to_).error().code, ErrorCode::kAlreadyExists);
  fs::remove_all(to_);
  std::ofstream(to_) << "y";
  EXPECT_EQ(Move(from_, to_).error().code, ErrorCode::kAlreadyExists);
  fs::remove(to_);
  fs::create_symlink("nowhere", to_);
  EXPECT_EQ(Move(from_, to_).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(ReadTestFile(from_ / "file"), "x");
}

TEST_P(Rename, NeedsSomethingToMoveAndAFolderToMoveItTo) {
  EXPECT_EQ(Move(folder_.path() / "none", to_).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Move(from_, folder_.path() / "none" / "to").error().code, ErrorCode::kNotFound);
}

TEST_P(Rename, OfManyThatWantANameOneGetsIt) {
  constexpr int kThreads = 8;
  for (int i = 0; i < kThreads; i++) fs::create_directory(folder_.path() / std::to_string(i));
  std::atomic<int> moved = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; i++) {
    threads.emplace_back([&, i] { moved += Move(folder_.path() / std::to_string(i), to_) ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(moved, 1);
}

}  // namespace
}  // namespace bothy::git
