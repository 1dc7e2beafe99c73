#include "hub/repository_large_files.h"

#include "hub/repositories_testing.h"

namespace bothy {
namespace {

const std::string kA(64, 'a');
const std::string kB(64, 'b');

class RepositoryLargeFilesTest : public RepositoriesTest {
 protected:
  void SetUp() override {
    RepositoriesTest::SetUp();
    if (IsSkipped()) return;
    repository_ = Make(ada_, "demo");
    const auto pointer = [](const std::string& sha256) { return git::FormatPointer({.sha256 = sha256, .size = 10}); };
    CommitFiles(repository_, {{"a.bin", pointer(kA)}, {"b.bin", pointer(kB)}});
    CommitFiles(repository_, {{"copy.bin", pointer(kA)}});
  }

  std::vector<std::string> Listed() {
    std::vector<std::string> hashes;
    const auto listed = ListLargeFiles(*database_, repository_, "", 100);
    EXPECT_OK(listed);
    for (const auto& file : *listed) hashes.push_back(file.sha256);
    return hashes;
  }

  Repository repository_;
};

BOTHY_ON_BOTH_DATABASES(RepositoryLargeFilesTest);

using Strings = std::vector<std::string>;

TEST_P(RepositoryLargeFilesTest, AreListedInPagesWithWhereTheyWereMetFirst) {
  const auto first = ListLargeFiles(*database_, repository_, "", 1);
  ASSERT_OK(first);
  ASSERT_EQ(first->size(), 1u);
  EXPECT_EQ(first->front().sha256, kA);
  EXPECT_EQ(first->front().path, "a.bin");
  EXPECT_EQ(first->front().ref, "refs/heads/main");
  EXPECT_EQ(first->front().size, 10u);
  const auto second = ListLargeFiles(*database_, repository_, kA, 10);
  ASSERT_OK(second);
  ASSERT_EQ(second->size(), 1u);
  EXPECT_EQ(second->front().sha256, kB);
}

TEST_P(RepositoryLargeFilesTest, AreRemovedFromAllOfHistory) {
  const git::Oid before = Head(repository_);
  ASSERT_OK(RemoveLargeFiles(*repositories_, ada_, repository_, {.sha256s = {kA, std::string(64, 'c')}}));
  EXPECT_EQ(Listed(), Strings{kB});
  EXPECT_NE(Head(repository_), before);
  EXPECT_EQ(FileOf(repository_, "a.bin"), std::nullopt);
  EXPECT_EQ(FileOf(repository_, "copy.bin"), std::nullopt);
  EXPECT_NE(FileOf(repository_, "b.bin"), std::nullopt);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repository_events WHERE action = 'push' AND old_oid = $1", before.ToHex()), 1);
}

TEST_P(RepositoryLargeFilesTest, OrStayInHistoryWithoutTheirContent) {
  const git::Oid before = Head(repository_);
  ASSERT_OK(RemoveLargeFiles(*repositories_, ada_, repository_, {.sha256s = {kA}, .rewrite_history = false}));
  EXPECT_EQ(Listed(), Strings{kB});
  EXPECT_EQ(Head(repository_), before);
  EXPECT_EQ(*Unreferred(*database_, Strings{kA, kB}), Strings{kA});
  ASSERT_OK(RebuildContent(*database_, repository_, *Git(repository_), {}));
  EXPECT_EQ(Listed(), Strings{kB});
}

TEST_P(RepositoryLargeFilesTest, AreNotRemovedWhileSomebodyWrites) {
  const auto guard = git::WriteGuard::Take(*Git(repository_));
  ASSERT_OK(guard);
  EXPECT_EQ(RemoveLargeFiles(*repositories_, ada_, repository_, {.sha256s = {kA}}).error().code,
            ErrorCode::kUnavailable);
  EXPECT_EQ(Listed(), (Strings{kA, kB}));
}

TEST_P(RepositoryLargeFilesTest, AreRemovedAsManyAtOnceAsTheLimitAndNotOneMore) {
  LargeFileRemoval removal{.sha256s = Strings(LargeFileRemoval::kMaxFiles, kA), .rewrite_history = false};
  EXPECT_OK(RemoveLargeFiles(*repositories_, ada_, repository_, removal));
  removal.sha256s.push_back(kA);
  EXPECT_EQ(RemoveLargeFiles(*repositories_, ada_, repository_, removal).error().code, ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace bothy
