#include "store/git/refs.h"

#include <gmock/gmock.h>

#include <limits>

#include "store/git/git_testing.h"

namespace bothy::git {
namespace {

using Refs = GitTest;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Names(const std::vector<Ref>& refs) {
  std::vector<std::string> names;
  for (const Ref& ref : refs) names.emplace_back(ref.short_name());
  return names;
}

TEST_F(Refs, ARevisionIsWhatGitTakesItFor) {
  const Oid first = Commit({{"a", "1"}});
  const Oid second = Commit({{"a", "2"}});
  Git({"branch", "feature/x", first.ToHex()});
  Git({"tag", "light", first.ToHex()});
  Git({"tag", "-m", "About it", "heavy", second.ToHex()});
  Git({"update-ref", "refs/pr/7", first.ToHex()});
  Git({"update-ref", "refs/convert/parquet", second.ToHex()});
  for (const std::string revision : {"main", "HEAD", "feature/x", "refs/heads/feature/x", "light", "heavy",
                                     "refs/tags/heavy", "refs/pr/7", "refs/convert/parquet"}) {
    const auto oid = Resolve(*repository_, revision);
    ASSERT_TRUE(oid) << revision << ": " << oid.error().message;
    EXPECT_EQ(oid->ToHex(), Git({"rev-parse", revision + "^{commit}"})) << revision;
  }
  const std::string hex = first.ToHex();
  EXPECT_EQ(Resolve(*repository_, hex), first);
  EXPECT_EQ(Resolve(*repository_, hex.substr(0, 7)), first);
  std::string upper = hex;
  std::transform(upper.begin(), upper.end(), upper.begin(), ::toupper);
  EXPECT_EQ(Resolve(*repository_, upper), first);
  // An annotated tag by its own id is the commit it is about.
  EXPECT_EQ(Resolve(*repository_, Git({"rev-parse", "heavy"})), second);
}

TEST_F(Refs, NothingElseIsARevision) {
  const Oid commit = Commit({{"a", "1"}});
  Git({"update-ref", "refs/secret/x", commit.ToHex()});
  const std::string tree = Git({"rev-parse", "main^{tree}"});
  for (const std::string revision :
       {"", "nothing", "refs/secret/x", "refs/heads/", "refs/heads/none", "main~1", "main^", "main:a", "@", "-x",
        "../x", "main.lock", "a b", "0000000000000000000000000000000000000000", "abc", "FETCH_HEAD", "config",
        "heads/main"}) {
    const auto oid = Resolve(*repository_, revision);
    ASSERT_FALSE(oid) << revision;
    EXPECT_EQ(oid.error().code, ErrorCode::kNotFound) << revision << ": " << oid.error().message;
  }
  EXPECT_EQ(Resolve(*repository_, tree).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Resolve(*repository_, std::string("main\0x", 6)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Resolve(*repository_, std::string(10'000, 'a')).error().code, ErrorCode::kNotFound);
}

TEST_F(Refs, ABeginningThatSeveralObjectsShareIsAmbiguous) {
  Commit({{"a", "1"}});
  // 16^4 beginnings: 2,000 blobs hold a pair of equal ones, says the birthday problem, but for 1 in 10^13 runs.
  std::map<std::string, int> beginnings;
  std::string shared;
  auto session = CommitSession::Begin(repository_, Options());
  ASSERT_OK(session);
  for (int i = 0; i < 2000; i++) {
    const auto oid = (*session)->PutFile(Path(fmt::format("f{}", i)), fmt::format("{}", i));
    ASSERT_OK(oid);
    if (++beginnings[oid->ToHex().substr(0, 4)] == 2) shared = oid->ToHex().substr(0, 4);
  }
  ASSERT_OK((*session)->Finish());
  const auto oid = Resolve(*repository_, shared);
  ASSERT_FALSE(oid);
  EXPECT_EQ(oid.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(oid.error().message, HasSubstr("ambiguous"));
}

TEST_F(Refs, AreListedByKindWithTheirCommits) {
  const Oid commit = Commit({{"a", "1"}});
  const RefList empty = *ListRefs(*repository_);
  EXPECT_THAT(Names(empty.branches), ElementsAre("main"));
  ASSERT_OK(CreateBranch(*repository_, "dev/two", commit));
  ASSERT_OK(CreateTag(*repository_, "v1", commit, "The first\nand best", kAda));
  ASSERT_OK(CreateTag(*repository_, "v0", commit, "", kAda));
  for (const uint64_t number : {10u, 9u}) ASSERT_OK(CreatePullRequest(*repository_, number, commit));
  ASSERT_OK(MoveRef(*repository_, std::string(kParquetRef), std::nullopt, commit));
  Git({"pack-refs", "--all"});
  const auto list = ListRefs(*repository_);
  ASSERT_OK(list);
  EXPECT_THAT(Names(list->branches), ElementsAre("dev/two", "main"));
  EXPECT_THAT(Names(list->tags), ElementsAre("v0", "v1"));
  EXPECT_THAT(Names(list->pull_requests), ElementsAre("9", "10"));
  EXPECT_THAT(Names(list->converts), ElementsAre("parquet"));
  EXPECT_EQ(list->tags[0].message, "");
  EXPECT_EQ(list->tags[1].message, "The first\nand best");
  EXPECT_EQ(list->tags[1].commit, commit);
  EXPECT_EQ(Git({"cat-file", "-t", "v1"}), "tag");
  EXPECT_EQ(Git({"cat-file", "-t", "v0"}), "commit");
  EXPECT_EQ(Git({"for-each-ref", "--format=%(taggername) %(taggeremail) %(taggerdate:raw)", "refs/tags/v1"}),
            "Ada <ada@example.org> 1700000000 +0200");
  ExpectSound();
}

TEST_F(Refs, ATaggersNameAndOffsetCannotBreakATag) {
  const Oid commit = Commit({{"a", "1"}});
  const Signature odd{.name = " <A>\n", .email = "", .time = -1, .offset_minutes = std::numeric_limits<int>::min()};
  ASSERT_OK(CreateTag(*repository_, "odd", commit, "Of\n\ntwo  \n\n", odd));
  EXPECT_EQ(Git({"for-each-ref", "--format=%(taggername) %(taggeremail) %(taggerdate:raw) %(contents)", "refs/tags"}),
            "A <unknown> 0 -1400 Of\n\ntwo\n");
  ExpectSound();
}

TEST_F(Refs, CanBeMadeOnceAndDeleted) {
  const Oid first = Commit({{"a", "1"}});
  const Oid second = Commit({{"a", "2"}});
  ASSERT_OK(CreateBranch(*repository_, "x", first));
  const auto again = CreateBranch(*repository_, "x", second);
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(again.error().message, "Reference refs/heads/x already exists");
  EXPECT_EQ(Resolve(*repository_, "x"), first);
  ASSERT_OK(CreateBranch(*repository_, "x", second, true));
  EXPECT_EQ(Resolve(*repository_, "x"), second);
  EXPECT_EQ(CreateBranch(*repository_, "x/y", first).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(CreateBranch(*repository_, "x/y/z", first).error().code, ErrorCode::kAlreadyExists);
  ASSERT_OK(CreateBranch(*repository_, "deep/er", first));
  EXPECT_EQ(CreateBranch(*repository_, "deep", first).error().code, ErrorCode::kAlreadyExists);
  Git({"pack-refs", "--all"});
  EXPECT_EQ(CreateBranch(*repository_, "x/y", first).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(CreateBranch(*repository_, "deep", first).error().code, ErrorCode::kAlreadyExists);
  ASSERT_OK(DeleteBranch(*repository_, "deep/er"));
  ASSERT_OK(CreateBranch(*repository_, "deep", first));
  ASSERT_OK(DeleteBranch(*repository_, "deep"));
  ASSERT_OK(CreateTag(*repository_, "t", first, "", kAda));
  EXPECT_EQ(CreateTag(*repository_, "t", first, "message", kAda).error().code, ErrorCode::kAlreadyExists);

  ASSERT_OK(DeleteBranch(*repository_, "x"));
  EXPECT_EQ(DeleteBranch(*repository_, "x").error().code, ErrorCode::kNotFound);
  Git({"pack-refs", "--all"});
  ASSERT_OK(DeleteTag(*repository_, "t"));
  EXPECT_EQ(DeleteTag(*repository_, "t").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Git({"for-each-ref", "--format=%(refname)"}), "refs/heads/main");

  const auto main = DeleteBranch(*repository_, "main");
  EXPECT_EQ(main.error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(main.error().message, "Cannot delete refs/heads/main");
  Oid nobody;
  nobody.bytes[0] = 1;
  EXPECT_EQ(CreateBranch(*repository_, "y", nobody).error().code, ErrorCode::kNotFound);
}

TEST_F(Refs, NamesThatGitOrAFileSystemWouldTakeForSomethingElseAreRefused) {
  for (const std::string name :
       {"",     "HEAD",  "refs",   "refs/heads/x", "-x",
        "a..b", "a b",   "a~1",    "a^",           "a:b",
        "a?",   "a*",    "a[",     "a\\b",         "/a",
        "a/",   "a//b",  "a.lock", "a/.b",         ".a",
        "a.",   "a@{1}", "@",      "a\x7f",        "0123456789012345678901234567890123456789"}) {
    EXPECT_FALSE(CheckBranchName(name)) << name;
    EXPECT_FALSE(CheckTagName(name)) << name;
  }
  EXPECT_OK(CheckBranchName(std::string(kMaxRefNameBytes, 'a')));
  EXPECT_FALSE(CheckBranchName(std::string(kMaxRefNameBytes + 1, 'a')));
  for (const std::string name : {"main", "v1.0", "feature/x", "a-b_c", "größe", "pr/7"}) {
    EXPECT_OK(CheckBranchName(name));
  }
}

TEST_F(Refs, MoveOnlyFromWhereTheyAreExpected) {
  const Oid first = Commit({{"a", "1"}});
  const Oid second = Commit({{"a", "2"}});
  const std::string main = "refs/heads/main";
  EXPECT_EQ(MoveRef(*repository_, main, first, first).error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(MoveRef(*repository_, main, std::nullopt, first).error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(MoveRef(*repository_, "refs/heads/none", first, second).error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(Resolve(*repository_, "main"), second);
  ASSERT_OK(MoveRef(*repository_, main, second, first));
  EXPECT_EQ(Resolve(*repository_, "main"), first);
}

}  // namespace
}  // namespace bothy::git
