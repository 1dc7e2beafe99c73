#include "store/git/merge.h"

#include <gmock/gmock.h>

#include "store/git/git_testing.h"
#include "store/git/pointer.h"

namespace bothy::git {
namespace {

using testing::ElementsAre;

class MergeOf : public GitTest {
 protected:
  void SetUp() override {
    GitTest::SetUp();
    std::string lines;
    for (int i = 0; i < 30; i++) lines += fmt::format("{}\n", i);
    text_ = lines;
    Commit({{"text", text_}, {"a", "1"}, {"b", "1"}, {"d/x", "1"}, {"d/y", "1"}, {"file", "1"}});
    ASSERT_OK(CreatePullRequest(*repository_, 1, *Resolve(*repository_, "main")));
  }

  MergeOptions Into(bool fast_forward = true) {
    MergeOptions options{.into = "refs/heads/main", .from = *Resolve(*repository_, "refs/pr/1")};
    options.fast_forward = fast_forward;
    options.author = kAda;
    options.author.time += 60 * ++commits_;
    options.committer = options.author;
    options.message = "Merge";
    return options;
  }

  std::string With(const std::string& from, const std::string& to) const {
    std::string text = text_;
    return text.replace(text.find(from), from.size(), to);
  }

  // What git itself makes of it: the tree, or nothing where there are conflicts.
  std::string GitsTree(const Oid& ours, const Oid& theirs) const {
    SubprocessOptions options;
    options.arguments = {"git", "-c", "safe.directory=*", "merge-tree", "--write-tree", ours.ToHex(), theirs.ToHex()};
    options.environment = {fmt::format("PATH={}", getenv("PATH")), "HOME=/nonexistent"};
    options.folder = repository_->path();
    const auto output = RunToEnd(options, "", 1 << 20);
    return output ? output->substr(0, 40) : "";
  }

  std::string text_;
};

const std::string kRef = "refs/pr/1";

TEST_F(MergeOf, ABranchWithNothingOfItsOwnIsMovedForward) {
  const Oid theirs = Commit({{"a", "2"}}, kRef);
  const auto result = Merge(repository_, Into());
  ASSERT_OK(result);
  EXPECT_EQ(result->commit, theirs);
  EXPECT_EQ(Resolve(*repository_, "main"), theirs);
  // Again: it is there.
  EXPECT_EQ(Merge(repository_, Into())->commit, theirs);
}

TEST_F(MergeOf, AMergeCommitHasBothParentsWhereAskedFor) {
  const Oid ours = *Resolve(*repository_, "main");
  const Oid theirs = Commit({{"a", "2"}}, kRef);
  ASSERT_OK(Merge(repository_, Into(false)));
  EXPECT_EQ(Git({"log", "-1", "--format=%P", "main"}), ours.ToHex() + " " + theirs.ToHex());
}

TEST_F(MergeOf, ChangesOfBothSidesComeTogetherAsInGit) {
  Commit({{"a", "ours"}, {"d/x", std::nullopt}, {"text", With("\n3\n", "\nthree\n")}, {"both", "same"}, {"n/o", "1"}});
  Commit({{"b", "theirs"}, {"d/y", std::nullopt}, {"text", With("\n25\n", "\nfive\n")}, {"both", "same"}, {"n/t", "1"}},
         kRef);
  Commit({{"file", std::nullopt}}, kRef);
  Commit({{"file/now/folder", "1"}}, kRef);
  const Oid ours = *Resolve(*repository_, "main");
  const std::string expected = GitsTree(ours, *Resolve(*repository_, kRef));
  ASSERT_NE(expected, "");
  EXPECT_TRUE(FindConflicts(*repository_, ours, *Resolve(*repository_, kRef))->empty());
  const auto result = Merge(repository_, Into());
  ASSERT_OK(result);
  EXPECT_TRUE(result->conflicts.empty());
  EXPECT_EQ(Git({"rev-parse", "main^{tree}"}), expected);
  ExpectSound();
}

TEST_F(MergeOf, ConflictsAreNamedAndNothingHappens) {
  const std::string sha(64, 'a');
  Commit({{"a", "ours"},
          {"b", std::nullopt},
          {"text", With("\n3\n", "\nthree\n")},
          {"new", "ours"},
          {"folder/x", "1"},
          {"file", "2"}});
  Commit({{"a", "theirs"},
          {"b", "theirs"},
          {"text", With("\n3\n", "\nTHREE\n")},
          {"new", "theirs"},
          {"folder", "1"},
          {"d/x", "theirs"}},
         kRef);
  const Oid before = *Resolve(*repository_, "main");
  EXPECT_EQ(GitsTree(before, *Resolve(*repository_, kRef)), "");
  const auto result = Merge(repository_, Into());
  ASSERT_OK(result);
  EXPECT_FALSE(result->commit);
  EXPECT_THAT(result->conflicts, ElementsAre("a", "b", "folder", "new", "text"));
  EXPECT_EQ(FindConflicts(*repository_, before, *Resolve(*repository_, kRef)), result->conflicts);
  EXPECT_EQ(Resolve(*repository_, "main"), before);
}

TEST_F(MergeOf, PointersAreNeverMixed) {
  const auto pointer = [](char digit, uint64_t size) { return FormatPointer({std::string(64, digit), size}); };
  Commit({{"model", pointer('a', 10)}});
  ASSERT_OK(CreatePullRequest(*repository_, 2, *Resolve(*repository_, "main")));
  Commit({{"model", pointer('b', 10)}});
  Commit({{"model", pointer('a', 11)}}, "refs/pr/2");  // another line: a merge of text would take both
  MergeOptions options = Into();
  options.from = *Resolve(*repository_, "refs/pr/2");
  EXPECT_THAT(Merge(repository_, options)->conflicts, ElementsAre("model"));
}

TEST_F(MergeOf, UnrelatedHistoriesAreRefused) {
  MergeOptions options = Into();
  options.from = Commit({{"z", "1"}}, "refs/heads/other");
  EXPECT_EQ(Merge(repository_, options).error().code, ErrorCode::kFailedPrecondition);
}

}  // namespace
}  // namespace bothy::git
