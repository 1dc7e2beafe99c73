#include "store/git/copy.h"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "store/git/git_testing.h"
#include "store/git/maintenance.h"

namespace bothy::git {
namespace {

namespace fs = std::filesystem;

constexpr auto kTimeout = std::chrono::minutes(2);

class CopyTest : public GitTest {
 protected:
  fs::path To(const std::string& name) const { return folder_.path() / name; }

  static void ExpectSoundAt(const fs::path& path) {
    EXPECT_EQ(GitIn(path, {"fsck", "--full", "--strict", "--no-dangling", "--no-progress"}), "");
  }
  static std::string Refs(const fs::path& path) { return GitIn(path, {"for-each-ref"}); }
};

TEST_F(CopyTest, HasTheSameRefsAndObjects) {
  Commit({{"a", "1"}, {"b/c", "2"}});
  ASSERT_OK(Repack(*repository_, RepackKind::kFull, kTimeout));  // packs and packed refs
  Commit({{"a", "2"}}, "refs/heads/side/branch");
  ASSERT_OK(CreateTag(*repository_, "v1", *Resolve(*repository_, "main"), "The first", kAda));
  std::ofstream(repository_->path() / "bothy-id") << "7\n";
  std::ofstream(repository_->path() / "HEAD.lock") << "left by somebody";
  fs::create_directory(repository_->path() / "objects" / "tmp_objdir-incoming-x");
  const auto copied = CopyRepository(repository_->path(), To("copy.git"));
  ASSERT_OK(copied);
  EXPECT_EQ(copied->new_bytes, copied->bytes);
  EXPECT_EQ(Refs(To("copy.git")), Refs(repository_->path()));
  EXPECT_EQ(GitIn(To("copy.git"), {"cat-file", "--batch-all-objects", "--batch-check"}),
            Git({"cat-file", "--batch-all-objects", "--batch-check"}));
  EXPECT_EQ(GitIn(To("copy.git"), {"commit-graph", "verify"}), "");
  EXPECT_EQ(ReadTestFile(To("copy.git") / "bothy-id"), "7\n");
  EXPECT_FALSE(fs::exists(To("copy.git") / "HEAD.lock"));
  EXPECT_FALSE(fs::exists(To("copy.git") / "objects" / "tmp_objdir-incoming-x"));
  ExpectSoundAt(To("copy.git"));
}

TEST_F(CopyTest, OfAnEmptyRepositoryIsOne) {
  ASSERT_OK(CopyRepository(repository_->path(), To("copy.git")));
  EXPECT_EQ(Refs(To("copy.git")), "");
  ExpectSoundAt(To("copy.git"));
}

TEST_F(CopyTest, SharesObjectsWithAnEarlierOneAndNothingThatChanges) {
  Commit({{"a", std::string(100'000, 'a')}});
  ASSERT_OK(CopyRepository(repository_->path(), To("first.git")));
  const std::string before = Refs(To("first.git"));
  Commit({{"b", "2"}});
  const auto second = CopyRepository(repository_->path(), To("second.git"), To("first.git"));
  ASSERT_OK(second);
  const std::string object = Git({"rev-parse", "main:a"});
  const fs::path file = fs::path("objects") / object.substr(0, 2) / object.substr(2);
  EXPECT_TRUE(fs::equivalent(To("first.git") / file, To("second.git") / file));
  EXPECT_FALSE(fs::equivalent(repository_->path() / file, To("second.git") / file));
  EXPECT_FALSE(fs::equivalent(To("first.git") / "HEAD", To("second.git") / "HEAD"));
  EXPECT_LT(second->new_bytes, 2'000u);  // three objects, a ref and the configuration
  EXPECT_GT(second->bytes, second->new_bytes);
  EXPECT_EQ(Refs(To("first.git")), before);
  ExpectSoundAt(To("first.git"));
  ExpectSoundAt(To("second.git"));
}

TEST_F(CopyTest, TakesAnObjectAnewOfWhichTheEarlierOneHasAPart) {
  Commit({{"a", "1"}});
  ASSERT_OK(CopyRepository(repository_->path(), To("first.git")));
  const std::string object = Git({"rev-parse", "main:a"});
  const fs::path cut = To("first.git") / "objects" / object.substr(0, 2) / object.substr(2);
  fs::permissions(cut, fs::perms::owner_all);
  fs::resize_file(cut, 5);
  ASSERT_OK(CopyRepository(repository_->path(), To("second.git"), To("first.git")));
  ExpectSoundAt(To("second.git"));
}

// Whatever a copy's refs lead to is in it, while commits are made and everything moves from pack to pack.
TEST_F(CopyTest, IsWholeBesideCommitsAndRepacks) {
  Commit({{"a", "0"}});
  std::atomic<bool> stop = false;
  std::thread committer([&] {
    for (int i = 1; !stop; i++) Commit({{"a", std::to_string(i)}, {fmt::format("d/{}", i), "x"}});
  });
  std::thread packer([&] {
    while (!stop) EXPECT_OK(Repack(*repository_, RepackKind::kFull, kTimeout));
  });
  for (int i = 0; i < 8; i++) {
    const std::string before = Git({"rev-parse", "main"});
    const fs::path to = To(fmt::format("copy{}.git", i));
    EXPECT_OK(CopyRepository(repository_->path(), to, i > 0 ? To(fmt::format("copy{}.git", i - 1)) : ""));
    ExpectSoundAt(to);
    EXPECT_EQ(GitIn(to, {"merge-base", before, "main"}), before);
  }
  stop = true;
  committer.join();
  packer.join();
}

TEST_F(CopyTest, WhatIsNotThereIsNotFound) {
  const auto nothing = CopyRepository(To("none.git"), To("copy.git"));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::kNotFound);
  fs::create_directory(To("empty.git"));
  const auto empty = CopyRepository(To("empty.git"), To("copy.git"));
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, ErrorCode::kNotFound);
  const auto taken = CopyRepository(repository_->path(), To("empty.git"));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kAlreadyExists);
}

}  // namespace
}  // namespace bothy::git
