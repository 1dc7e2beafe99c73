#include "store/git/commits.h"

#include <gmock/gmock.h>

#include <random>
#include <set>
#include <span>

#include "store/git/git_testing.h"
#include "store/git/last_commits.h"
#include "store/git/merge.h"

namespace bothy::git {
namespace {

using testing::ElementsAreArray;

// A history with branches and merges, files that come, change, go and become folders.
class History : public GitTest {
 protected:
  void SetUp() override {
    GitTest::SetUp();
    std::mt19937 random(7);
    const auto pick = [&](size_t below) { return random() % below; };
    Commit({{"f0", "0"}, {"d0/f0", "0"}, {"d0/d1/f0", "0"}});
    for (int i = 1; i <= 80; i++) {
      const std::string ref = i % 5 == 0 ? "refs/heads/side" : "refs/heads/main";
      if (i % 20 == 1) ASSERT_OK(CreateBranch(*repository_, "side", *Resolve(*repository_, "main"), true));
      std::map<std::string, std::optional<std::string>> files;
      std::string path = fmt::format("f{}", pick(4));
      for (size_t depth = pick(3); depth > 0; depth--) path = fmt::format("d{}/{}", pick(3), path);
      // Some contents come back, so that a change and its undoing meet in merges.
      files[path] = fmt::format("{}", pick(6));
      Commit(files, ref);
      if (i % 20 == 19) {
        MergeOptions options{.into = "refs/heads/main", .from = *Resolve(*repository_, "side"), .fast_forward = false};
        options.author = kAda;
        options.author.time += 60 * ++commits_;
        options.committer = options.author;
        options.message = "Merge";
        ASSERT_OK(Merge(repository_, options));
      }
    }
    Commit({{"f0", std::nullopt}});
    Commit({{"f0/now/a/folder", "x"}});
    head_ = *Resolve(*repository_, "main");
  }

  std::vector<std::string> Listed(HistoryOptions options) const {
    std::vector<std::string> oids;
    do {
      const auto page = ListCommits(*repository_, head_, options);
      EXPECT_OK(page);
      if (!page) break;
      for (const auto& commit : page->commits) oids.push_back(commit.oid.ToHex());
      options.cursor = page->cursor;
      options.skip = 0;
    } while (!options.cursor.empty());
    return oids;
  }

  Oid head_;
};

TEST_F(History, IsWhatGitLogPrintsWhateverThePage) {
  const auto expected = Lines(Git({"log", "--format=%H", "main"}));
  for (const size_t limit : {1u, 7u, 1000u}) EXPECT_THAT(Listed({.limit = limit}), ElementsAreArray(expected));
  EXPECT_THAT(Listed({.skip = 10, .limit = 9}), ElementsAreArray(expected.begin() + 10, expected.end()));
  EXPECT_EQ(CountCommits(*repository_, head_), expected.size());
  EXPECT_TRUE(Listed({.skip = 1000}).empty());
}

TEST_F(History, OfAPathIsWhatGitLogPrints) {
  for (const std::string path : {"f0", "f1", "d0", "d0/f1", "d1/d2", "d0/d1/f0", "f0/now", "none", "d0/none"}) {
    const auto expected = Lines(Git({"log", "--format=%H", "main", "--", path}));
    for (const size_t limit : {1u, 5u, 1000u}) {
      EXPECT_THAT(Listed({.path = path, .limit = limit}), ElementsAreArray(expected)) << path;
    }
  }
}

TEST_F(History, ForeignCursorsAreRefused) {
  for (const std::string& cursor :
       {std::string("x"), std::string("+x"), std::string(40, '0'), std::string(41, '0'), std::string(40 * 100, 'a')}) {
    const auto page = ListCommits(*repository_, head_, {.cursor = cursor});
    ASSERT_FALSE(page) << cursor;
    EXPECT_EQ(page.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_F(History, LastCommitsAreThoseOfGitLog) {
  std::map<std::string, std::string> expected;
  const auto at = [&](const Oid& commit) {
    auto paths = Lines(Git({"ls-tree", "-r", "-t", "--name-only", commit.ToHex()}));
    const auto found = FindLastCommits(*repository_, commit, paths);
    ASSERT_OK(found);
    EXPECT_TRUE(found->complete);
    ASSERT_EQ(found->commits.size(), paths.size());
    for (size_t i = 0; i < paths.size(); i++) {
      EXPECT_EQ(found->commits[i].ToHex(), Git({"log", "-1", "--format=%H", commit.ToHex(), "--", paths[i]}))
          << paths[i] << " at " << commit.ToHex();
    }
  };
  // From old to new, so that later searches meet what earlier ones have kept; then new again, from memory.
  for (const char* revision : {"main~30", "main~29", "main~12", "main~3", "main~2", "main~1", "main", "main", "side"}) {
    at(*Oid::FromHex(Git({"rev-parse", revision})));
  }
}

TEST_F(History, LastCommitsOfWhatIsNotThereAreZero) {
  const std::vector<std::string> paths = {"none", "d0/none", "none/x", "", "d0"};
  const auto found = FindLastCommits(*repository_, head_, paths);
  ASSERT_OK(found);
  for (size_t i = 0; i < 4; i++) EXPECT_TRUE(found->commits[i].IsZero()) << paths[i];
  EXPECT_FALSE(found->commits[4].IsZero());
}

// Folders that hold one another by the same few objects, as a hostile push may: 10 in each of 5 levels.
TEST_F(History, LastCommitsAreLookedForInAsManyFoldersAsALimitSays) {
  const std::string blob = Git({"hash-object", "-w", "--stdin"}, "x");
  std::string tree = Git({"mktree"}, fmt::format("100644 blob {}\tf\n", blob));
  for (int level = 0; level < 5; level++) {
    std::string entries;
    for (int i = 0; i < 10; i++) entries += fmt::format("040000 tree {}\t{}\n", tree, i);
    tree = Git({"mktree"}, entries);
  }
  const Oid commit = *Oid::FromHex(Git({"commit-tree", "-m", "x", tree}));
  std::vector<std::string> paths;
  for (int i = 0; i < 100'000; i++) {
    paths.push_back(fmt::format("{}/{}/{}/{}/{}/f", i / 10'000, i / 1000 % 10, i / 100 % 10, i / 10 % 10, i % 10));
  }
  const auto some = [&](size_t count) { return std::span(paths).first(count); };
  size_t fits = 0;
  for (std::set<std::string_view> known; fits < paths.size(); fits++) {
    const std::string_view path = paths[fits];
    for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
      known.insert(path.substr(0, slash));
    }
    if (known.size() > kMaxLastCommitFolders) break;
  }
  EXPECT_OK(FindLastCommits(*repository_, commit, some(fits)));
  EXPECT_EQ(FindLastCommits(*repository_, commit, some(fits + 1)).error().code, ErrorCode::kResourceExhausted);
}

TEST_F(History, LastCommitsAreLookedForAmongAsManyEntriesAsALimitSays) {
  constexpr size_t kFiles = 100'000;
  const std::string blob = Git({"hash-object", "-w", "--stdin"}, "x");
  std::string files, folders;
  for (size_t i = 0; i < kFiles; i++) files += fmt::format("100644 blob {}\t{}\n", blob, i);
  const std::string folder = Git({"mktree"}, files);
  std::vector<std::string> paths;
  for (size_t i = 0; i <= kMaxLastCommitEntries / kFiles; i++) {
    folders += fmt::format("040000 tree {}\td{}\n", folder, i);
    paths.push_back(fmt::format("d{}/7", i));
  }
  const Oid commit = *Oid::FromHex(Git({"commit-tree", "-m", "x", Git({"mktree"}, folders)}));
  const auto found = FindLastCommits(*repository_, commit, std::span(paths).first(paths.size() - 1));
  ASSERT_OK(found);
  EXPECT_EQ(found->commits.back(), commit);
  EXPECT_EQ(FindLastCommits(*repository_, commit, paths).error().code, ErrorCode::kResourceExhausted);
}

TEST_F(History, LastCommitsOfDeepInventedPathsCostNothing) {
  std::string deep = "d0";
  while (deep.size() < 1 << 20) deep += "/d1";
  const std::vector<std::string> paths = {deep};
  const auto found = FindLastCommits(*repository_, head_, paths);
  ASSERT_OK(found);
  EXPECT_TRUE(found->commits[0].IsZero());
}

TEST_F(History, KnowsWhatIsAnAncestor) {
  const Oid old = *Oid::FromHex(Git({"rev-parse", "main~20"}));
  EXPECT_EQ(IsAncestor(*repository_, old, head_), true);
  EXPECT_EQ(IsAncestor(*repository_, head_, old), false);
  EXPECT_EQ(IsAncestor(*repository_, old, old), true);
}

TEST_F(History, OddCommitsOfOtherProgramsAreRead) {
  const std::string tree = Git({"rev-parse", "main^{tree}"});
  const auto make = [&](const std::string& rest) {
    return *Oid::FromHex(
        Git({"hash-object", "-t", "commit", "--literally", "-w", "--stdin"}, fmt::format("tree {}\n{}", tree, rest)));
  };
  const auto commit = ReadCommit(
      *repository_,
      make("author A U <a@b> 12 -0930\ncommitter nobody\nencoding latin1\ngpgsig x\n y\n\n\nTitle\nof two\n\nBody\n"));
  ASSERT_OK(commit);
  EXPECT_EQ(commit->title, "Title of two");
  EXPECT_EQ(commit->description, "Body");
  EXPECT_EQ(commit->author.offset_minutes, -570);
  EXPECT_EQ(commit->committer.name, "nobody");
  for (const char* bad : {"", "author A <a> 1 +0000\n\nx\n",
                          "parent xyz\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nx", "author A <a> 1 +0000"}) {
    const auto broken = ReadCommit(*repository_, make(bad));
    ASSERT_FALSE(broken) << bad;
    EXPECT_EQ(broken.error().code, ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace bothy::git
