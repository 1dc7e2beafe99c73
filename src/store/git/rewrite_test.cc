#include "store/git/rewrite.h"

#include "store/git/git_testing.h"

namespace bothy::git {
namespace {

class RewriteTest : public GitTest {
 protected:
  std::vector<RewrittenRef> Remove(const std::vector<std::string>& contents) {
    std::unordered_set<Oid> blobs;
    for (const std::string& content : contents) {
      blobs.insert(*Oid::FromHex(Git({"hash-object", "-w", "--stdin"}, content)));
    }
    auto guard = DropGuard::Take(*repository_);
    EXPECT_OK(guard);
    auto moved = RemoveBlobs(*repository_, *guard, blobs);
    EXPECT_OK(moved);
    return moved ? *std::move(moved) : std::vector<RewrittenRef>{};
  }

  std::string Files(const std::string& revision) { return Git({"ls-tree", "-r", "--name-only", revision}); }
};

TEST_F(RewriteTest, EveryCommitLosesTheBlobAndKeepsTheRest) {
  const Oid first = Commit({{"a", "1"}});
  Commit({{"secret", "secret"}, {"d/copy", "secret"}, {"b", "2"}}, "refs/heads/main",
         "M 100644 in a message\n\ndata 3\nabc");
  Commit({{"secret", "harmless now"}});
  const Oid last = Commit({{"secret", std::nullopt}, {"c", "3"}});
  Git({"update-ref", "refs/pr/7", last.ToHex()});
  Git({"tag", "-a", "-m", "a tag", "v1", "main~1"});
  Git({"tag", "light", "main"});
  Git({"branch", "old", first.ToHex()});
  const std::string messages = Git({"log", "--format=%an %ae %at %cn %ct %B", "main"});
  const auto moved = Remove({"secret"});
  EXPECT_EQ(moved.size(), 4u);  // main, the pull request and both tags
  EXPECT_EQ(Git({"rev-parse", "main~3"}), first.ToHex());
  EXPECT_EQ(Git({"rev-parse", "old"}), first.ToHex());
  EXPECT_EQ(Files("main~2"), "a\nb");
  EXPECT_EQ(Files("main~1"), "a\nb\nsecret");
  EXPECT_EQ(Files("main"), "a\nb\nc");
  EXPECT_EQ(Git({"rev-parse", "refs/pr/7"}), Git({"rev-parse", "main"}));
  EXPECT_EQ(Git({"rev-parse", "v1^{commit}"}), Git({"rev-parse", "main~1"}));
  EXPECT_EQ(Git({"cat-file", "-t", "v1"}), "tag");
  EXPECT_EQ(Git({"log", "--format=%an %ae %at %cn %ct %B", "main"}), messages);
  EXPECT_EQ(Git({"for-each-ref", "--format=%(refname)"}),
            "refs/heads/main\nrefs/heads/old\nrefs/pr/7\nrefs/tags/light\nrefs/tags/v1");
  EXPECT_EQ(Git({"rev-parse", "light"}), Git({"rev-parse", "main"}));
  ExpectSound();
}

TEST_F(RewriteTest, AFileThatHeldSomethingElseBeforeIsNotThereInsteadOfBeingOld) {
  Commit({{"x", "before"}});
  Commit({{"x", "secret"}});
  Commit({{"x", "after"}});
  Remove({"secret"});
  EXPECT_EQ(Git({"show", "main~2:x"}), "before");
  EXPECT_EQ(Files("main~1"), "");
  EXPECT_EQ(Git({"show", "main:x"}), "after");
}

TEST_F(RewriteTest, StrangeNamesAndMergesSurvive) {
  Commit({{"a", "1"}});
  Git({"update-ref", "refs/heads/side", "main"});
  Commit({{"gr\xc3\xbc\xc3\x9f \"quoted\" \xe2\x82\xac", "secret"}, {"sp ace", "2"}}, "refs/heads/side");
  Commit({{"b", "2"}});
  const std::string tree = Git({"merge-tree", "--write-tree", "main", "side"});
  Git({"update-ref", "refs/heads/main", Git({"commit-tree", tree, "-p", "main", "-p", "side", "-m", "merge"})});
  Remove({"secret"});
  EXPECT_EQ(Files("main"), "a\nb\nsp ace");
  EXPECT_EQ(Git({"rev-list", "--count", "main"}), "4");
  EXPECT_EQ(Git({"rev-parse", "main^2"}), Git({"rev-parse", "side"}));
  ExpectSound();
}

TEST_F(RewriteTest, WhatACrashHasLeftOfAnEarlierOneIsGone) {
  Commit({{"a", "1"}, {"secret", "secret"}});
  Git({"update-ref", "refs/bothy-being-rewritten/heads/gone", "main"});
  Git({"update-ref", "refs/tags/bothy-being-rewritten/v0", "main"});
  Remove({"secret"});
  EXPECT_EQ(Git({"for-each-ref", "--format=%(refname)"}), "refs/heads/main");
}

TEST_F(RewriteTest, WhereNothingIsToBeRemovedNothingMoves) {
  const Oid head = Commit({{"a", "1"}});
  EXPECT_TRUE(Remove({"secret"}).empty());
  EXPECT_EQ(Git({"rev-parse", "main"}), head.ToHex());
}

}  // namespace
}  // namespace bothy::git
