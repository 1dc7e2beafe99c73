#include "store/git/last_commit_cache.h"

#include "store/git/git_testing.h"
#include "store/git/last_commits.h"

namespace bothy::git {
namespace {

using LastCommitCacheTest = GitTest;

Oid Number(int number) {
  Oid oid;
  oid.bytes[0] = static_cast<uint8_t>(number);
  return oid;
}

// A result of a little more than `bytes`.
std::shared_ptr<const FolderLastCommits> Folder(size_t bytes) {
  auto result = std::make_shared<FolderLastCommits>();
  result->names = {std::string(bytes, 'x')};
  result->commit = {0};
  result->commits = {Number(1)};
  return result;
}

TEST_F(LastCommitCacheTest, DropsTheLeastRecentlyUsedOverItsBudget) {
  LastCommitCache cache(3500);
  for (const int i : {1, 2, 3}) cache.Insert(Number(i), "", Folder(700));
  EXPECT_NE(cache.Find(Number(1), ""), nullptr);  // now 2 is the one that waited longest
  cache.Insert(Number(4), "", Folder(700));
  EXPECT_TRUE(cache.Knows(Number(1)));
  EXPECT_FALSE(cache.Knows(Number(2)));
  EXPECT_TRUE(cache.Knows(Number(3)));
  EXPECT_TRUE(cache.Knows(Number(4)));
  cache.Insert(Number(5), "", Folder(10'000));  // more than the whole budget
  EXPECT_FALSE(cache.Knows(Number(5)));
  EXPECT_TRUE(cache.Knows(Number(4)));
}

TEST_F(LastCommitCacheTest, CountsTheNamesOfFolders) {
  LastCommitCache cache(3500);
  cache.Insert(Number(1), std::string(2000, 'f'), Folder(1));
  EXPECT_FALSE(cache.Knows(Number(1)));
}

TEST_F(LastCommitCacheTest, IsOneForAllRepositories) {
  auto other = GitRepository::Create(folder_.path() / "b.git");
  ASSERT_OK(other);
  const Oid here = Commit({{"a", "1"}});
  std::swap(repository_, *other);
  const Oid there = Commit({{"b", "1"}});
  const std::vector<std::string> paths = {"a", "b"};
  ASSERT_OK(FindLastCommits(*repository_, there, paths));
  ASSERT_OK(FindLastCommits(**other, here, paths));
  EXPECT_TRUE(LastCommitCache::Shared().Knows(here));
  EXPECT_TRUE(LastCommitCache::Shared().Knows(there));
  // What is known of a commit is told only where the commit is.
  EXPECT_EQ(FindLastCommits(*repository_, here, paths).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace bothy::git
