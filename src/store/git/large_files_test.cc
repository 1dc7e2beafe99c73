#include "store/git/large_files.h"

#include <gmock/gmock.h>

#include "store/git/git_testing.h"

namespace bothy::git {
namespace {

using LargeFiles = GitTest;
using testing::UnorderedElementsAre;

std::string PointerText(char digit) { return FormatPointer({std::string(64, digit), 7}); }

template <class Each>
std::vector<std::string> Collect(const Each& each, const GitRepository& repository) {
  std::vector<std::string> digits;
  EXPECT_OK(each(repository, [&](const StoredPointer& found) -> Result<void> {
    digits.push_back(found.pointer.sha256.substr(0, 1));
    return {};
  }));
  return digits;
}

TEST_F(LargeFiles, AreFoundInEveryRefAndInHistory) {
  Commit({{"now", PointerText('a')}, {"copy", PointerText('a')}, {"text", "no pointer"}});
  Commit({{"old", PointerText('b')}});
  Commit({{"old", std::nullopt}});
  ASSERT_OK(CreatePullRequest(*repository_, 3, *Resolve(*repository_, "main")));
  Commit({{"d/pr", PointerText('c')}, {"big", PointerText('d') + std::string(2000, 'x')}}, "refs/pr/3");
  Commit({{"dropped", PointerText('e')}}, "refs/heads/gone");
  ASSERT_OK(DeleteBranch(*repository_, "gone"));
  EXPECT_THAT(Collect(ForEachReachablePointer, *repository_), UnorderedElementsAre("a", "b", "c"));
  EXPECT_THAT(Collect(ForEachStoredPointer, *repository_), UnorderedElementsAre("a", "b", "c", "e"));

  std::vector<std::string> listed;
  EXPECT_OK(ForEachLargeFile(*repository_, [&](const LargeFile& file) -> Result<void> {
    listed.push_back(fmt::format("{} {} {}", file.pointer.sha256[0], file.path, file.ref));
    return {};
  }));
  EXPECT_THAT(listed, UnorderedElementsAre(testing::AnyOf("a now refs/heads/main", "a copy refs/heads/main"),
                                           "b old refs/heads/main", "c d/pr refs/pr/3"));
}

TEST_F(LargeFiles, OfAnEmptyRepositoryAreNone) {
  EXPECT_TRUE(Collect(ForEachReachablePointer, *repository_).empty());
  EXPECT_TRUE(Collect(ForEachStoredPointer, *repository_).empty());
}

TEST_F(LargeFiles, AnErrorOfTheConsumerEndsTheWalk) {
  Commit({{"a", PointerText('a')}});
  const auto result = ForEachReachablePointer(
      *repository_, [](const StoredPointer&) -> Result<void> { return Fail(ErrorCode::kCancelled, "enough"); });
  EXPECT_EQ(result.error().message, "enough");
}

}  // namespace
}  // namespace bothy::git
