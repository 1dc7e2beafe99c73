// An object that something in the repository names and that is not there means a broken repository, never that what was
// asked for does not exist.
#include <gmock/gmock.h>
#include <sanitizer/lsan_interface.h>

#include "store/git/commits.h"
#include "store/git/diff.h"
#include "store/git/git_testing.h"
#include "store/git/last_commits.h"
#include "store/git/merge.h"
#include "store/git/tree.h"

namespace bothy::git {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// libgit2 1.5 does not free its queue of commits (64 bytes) where one of them is missing in a search for ancestors.
struct LeaksOfLibgit {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  LeaksOfLibgit() { __lsan_disable(); }
  ~LeaksOfLibgit() { __lsan_enable(); }
#endif
#endif
};

class MissingObjects : public GitTest {
 protected:
  void SetUp() override {
    GitTest::SetUp();
    first_ = Commit({{"a/b", "1"}, {"c", "1"}});
    head_ = Commit({{"c", "2"}});
  }

  template <class T>
  void ExpectCorrupt(const Result<T>& result, const std::string& missing) const {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kCorrupt) << result.error().message;
    EXPECT_THAT(result.error().message, AllOf(HasSubstr("a.git"), HasSubstr(missing)));
  }

  Oid first_, head_;
};

TEST_F(MissingObjects, ACommitOfARefIsCorruption) {
  ASSERT_OK(CreateTag(*repository_, "heavy", head_, "About it", kAda));
  const std::string tag = Git({"rev-parse", "heavy"});
  const std::string lost = head_.ToHex();
  LoseObject(lost);
  ExpectCorrupt(Resolve(*repository_, "main"), lost);
  ExpectCorrupt(Resolve(*repository_, "HEAD"), lost);
  ExpectCorrupt(Resolve(*repository_, "refs/tags/heavy"), lost);
  ExpectCorrupt(Resolve(*repository_, tag), lost);
  ExpectCorrupt(FindRef(*repository_, "refs/heads/main"), lost);
  ExpectCorrupt(CommitSession::Begin(repository_, Options()), lost);
  // By its own name it is just not there.
  EXPECT_EQ(Resolve(*repository_, lost).error().code, ErrorCode::kNotFound);
}

TEST_F(MissingObjects, AParentIsCorruption) {
  ASSERT_OK(CreateBranch(*repository_, "side", head_));
  const Oid side = Commit({{"d", "1"}}, "refs/heads/side");
  const Oid main = Commit({{"e", "1"}});
  const std::string lost = head_.ToHex();
  LoseObject(lost);
  ExpectCorrupt(ListCommits(*repository_, main, {}), lost);
  ExpectCorrupt(CountCommits(*repository_, main), lost);
  {
    [[maybe_unused]] const LeaksOfLibgit allowed;
    ExpectCorrupt(IsAncestor(*repository_, first_, main), lost);
    ExpectCorrupt(CommonAncestor(*repository_, main, side), lost);
  }
  const std::vector<std::string> paths = {"c"};
  ExpectCorrupt(FindLastCommits(*repository_, main, paths), lost);
}

TEST_F(MissingObjects, ATreeIsCorruption) {
  const std::string lost = Git({"rev-parse", "main:a"});
  LoseObject(lost);
  ExpectCorrupt(ListTree(*repository_, head_, {.recursive = true}), lost);
  ExpectCorrupt(ListTree(*repository_, head_, {.folder = "a"}), lost);
  ExpectCorrupt(FindEntry(*repository_, head_, "a/b"), lost);
  auto session = CommitSession::Begin(repository_, Options());
  ASSERT_OK(session);
  ExpectCorrupt((*session)->Delete(Path("a/b")), lost);
  ASSERT_OK((*session)->PutFile(Path("a/x"), "1"));
  ExpectCorrupt((*session)->Finish(), lost);
}

TEST_F(MissingObjects, ABlobIsCorruption) {
  const std::string lost = Git({"rev-parse", "main:c"});
  LoseObject(lost);
  ExpectCorrupt(FindEntry(*repository_, head_, "c"), lost);
  ExpectCorrupt(ListTree(*repository_, head_, {}), lost);
  ExpectCorrupt(ReadBlob(*repository_, *Oid::FromHex(lost), 100), lost);
  ExpectCorrupt(OpenBlob(*repository_, *Oid::FromHex(lost), 100), lost);
  ExpectCorrupt(StreamBlob(*repository_, *Oid::FromHex(lost), [](std::string_view) { return Result<void>(); }), lost);
  const auto changes = CompareCommits(*repository_, first_, head_);
  ASSERT_OK(changes);
  ExpectCorrupt(FormatDiff(*repository_, changes->changes, {}), lost);
}

TEST_F(MissingObjects, ThatACallerNamesAreNotFound) {
  Oid none;
  none.bytes[0] = 1;
  const std::vector<std::string> paths = {"c"};
  const auto code = [](const auto& result) { return result ? ErrorCode::kInternal : result.error().code; };
  EXPECT_EQ(code(ReadCommit(*repository_, none)), ErrorCode::kNotFound);
  EXPECT_EQ(code(ListCommits(*repository_, none, {})), ErrorCode::kNotFound);
  EXPECT_EQ(code(CountCommits(*repository_, none)), ErrorCode::kNotFound);
  EXPECT_EQ(code(IsAncestor(*repository_, none, head_)), ErrorCode::kNotFound);
  EXPECT_EQ(code(IsAncestor(*repository_, head_, none)), ErrorCode::kNotFound);
  EXPECT_EQ(code(CommonAncestor(*repository_, none, head_)), ErrorCode::kNotFound);
  EXPECT_EQ(code(ListTree(*repository_, none, {})), ErrorCode::kNotFound);
  EXPECT_EQ(code(FindEntry(*repository_, none, "c")), ErrorCode::kNotFound);
  EXPECT_EQ(code(FindLastCommits(*repository_, none, paths)), ErrorCode::kNotFound);
  EXPECT_EQ(code(CompareCommits(*repository_, none, head_)), ErrorCode::kNotFound);
  EXPECT_EQ(code(CreateBranch(*repository_, "x", none)), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace bothy::git
