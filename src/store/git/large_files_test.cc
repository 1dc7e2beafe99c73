#include "store/git/large_files.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

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

TEST_F(LargeFiles, AreNamedAfterARefThatLeadsToThem) {
  Commit({{"main", PointerText('0')}});
  const Oid base = *Resolve(*repository_, "main");
  for (const char* name : {"w", "x", "y", "z"}) ASSERT_OK(CreateBranch(*repository_, name, base));
  Commit({{"shared", PointerText('1')}}, "refs/heads/x");
  ASSERT_OK(CreateBranch(*repository_, "y", *Resolve(*repository_, "x"), true));
  Commit({{"of y", PointerText('2')}}, "refs/heads/y");
  Commit({{"of z", PointerText('3')}, {base.ToHex(), PointerText('4')}}, "refs/heads/z");
  Commit({{"later", PointerText('5')}});
  std::map<char, std::string> refs;
  EXPECT_OK(ForEachLargeFile(*repository_, [&](const LargeFile& file) -> Result<void> {
    EXPECT_TRUE(refs.emplace(file.pointer.sha256[0], file.ref).second);
    EXPECT_EQ(Git({"rev-parse", file.ref + ":" + file.path}), file.blob.ToHex());
    return {};
  }));
  const std::map<char, std::string> expected = {{'0', "refs/heads/main"}, {'1', "refs/heads/x"},
                                                {'2', "refs/heads/y"},    {'3', "refs/heads/z"},
                                                {'4', "refs/heads/z"},    {'5', "refs/heads/main"}};
  // "shared" is first met at the tip of y, which holds it too.
  refs['1'] = refs['1'] == "refs/heads/y" ? "refs/heads/x" : refs['1'];
  EXPECT_EQ(refs, expected);
}

TEST_F(LargeFiles, OfManyRefsAreFoundByAFewWalks) {
  const Oid base = Commit({{"a", PointerText('a')}});
  for (uint64_t i = 1; i <= 20; i++) {
    ASSERT_OK(CreatePullRequest(*repository_, i, base));
    Commit({{fmt::format("f{}", i), FormatPointer({std::string(64, 'b'), i})}}, PullRequestRef(i));
  }
  // A program of git's name that counts how often it is started.
  const auto counts = folder_.path() / "starts";
  const auto fake = folder_.path() / "bin" / "git";
  std::filesystem::create_directory(fake.parent_path());
  const std::string path = getenv("PATH");
  std::ofstream(fake) << fmt::format("#!/bin/sh\necho >> '{}'\nPATH='{}' exec git \"$@\"\n", counts.string(), path);
  std::filesystem::permissions(fake, std::filesystem::perms::owner_all);
  setenv("PATH", fmt::format("{}:{}", fake.parent_path().string(), path).c_str(), 1);
  size_t found = 0;
  const auto each = ForEachLargeFile(*repository_, [&](const LargeFile&) -> Result<void> {
    found++;
    return {};
  });
  setenv("PATH", path.c_str(), 1);
  EXPECT_OK(each);
  EXPECT_EQ(found, 21u);
  EXPECT_EQ(ReadTestFile(counts), "\n\n");
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
