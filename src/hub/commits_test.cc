#include "hub/commits.h"

#include "base/base64.h"
#include "hub/repositories_testing.h"
#include "store/git/commits.h"

namespace bothy {
namespace {

const std::string kSha256(64, 'a');

class CommitsTest : public RepositoriesTest {
 protected:
  void SetUp() override {
    RepositoriesTest::SetUp();
    if (!IsSkipped()) repository_ = Make(ada_, "demo");
  }

  static std::string Header(std::string_view parent = "") {
    return parent.empty()
               ? R"({"key":"header","value":{"summary":"A commit","description":"Of mine"}})"
               : fmt::format(R"({{"key":"header","value":{{"summary":"A commit","parentCommit":"{}"}}}})", parent);
  }
  static std::string File(std::string_view path, std::string_view content) {
    return fmt::format(R"({{"key":"file","value":{{"content":"{}","path":"{}","encoding":"base64"}}}})",
                       EncodeBase64(std::as_bytes(std::span(content))), path);
  }
  static std::string Large(std::string_view path, std::string_view sha256, std::string_view size = "") {
    return fmt::format(R"({{"key":"lfsFile","value":{{"path":"{}","algo":"sha256","oid":"{}"{}}}}})", path, sha256,
                       size.empty() ? "" : fmt::format(",\"size\":{}", size));
  }
  static std::string Deleted(std::string_view path) {
    return fmt::format(R"({{"key":"deletedFile","value":{{"path":"{}"}}}})", path);
  }

  Result<CommitOutcome> Commit(const Actor& actor, const std::vector<std::string>& lines,
                               const CommitTarget& target = {}) {
    const auto upload = TRY(CommitUpload::Begin(*repositories_, content_, actor, repository_, target));
    for (const std::string& line : lines) TRY(upload->Add(line + "\n"));
    return upload->Finish();
  }

  // Nothing of a refused commit may be left.
  Error Refused(const Actor& actor, const std::vector<std::string>& lines, const CommitTarget& target = {}) {
    const git::Oid before = Head(repository_);
    const auto outcome = Commit(actor, lines, target);
    EXPECT_FALSE(outcome);
    EXPECT_EQ(Head(repository_), before);
    return outcome ? Error{} : outcome.error();
  }

  Repository repository_;
};

BOTHY_ON_BOTH_DATABASES(CommitsTest);

TEST_P(CommitsTest, EveryOperationDoesWhatItSays) {
  content_.Add(ada_.user_id, kSha256, "large content");
  const git::Oid first = Head(repository_);
  ASSERT_OK(Commit(ada_, {Header(), File("a.txt", "hello"), File("d/x", "1"), File("d/y", "2"),
                          Large("big.bin", kSha256, "13"), Large("again.bin", kSha256)}));
  const auto outcome = Commit(
      ada_,
      {Header(), R"({"key":"copyFile","value":{"srcPath":"a.txt","path":"copies/a"}})",
       fmt::format(R"({{"key":"copyFile","value":{{"srcPath":".gitattributes","srcRevision":"{}","path":"old"}}}})",
                   first.ToHex()),
       Deleted("a.txt"), R"({"key":"deletedFolder","value":{"path":"d/"}})"});
  ASSERT_OK(outcome);
  EXPECT_EQ(outcome->commit, Head(repository_));
  EXPECT_EQ(outcome->pull_request, std::nullopt);
  EXPECT_EQ(FileOf(repository_, "a.txt"), std::nullopt);
  EXPECT_EQ(FileOf(repository_, "d/x"), std::nullopt);
  EXPECT_EQ(FileOf(repository_, "copies/a"), "hello");
  EXPECT_EQ(FileOf(repository_, "old"), FileOf(repository_, ".gitattributes"));
  const auto pointer = git::FormatPointer({.sha256 = kSha256, .size = 13});
  EXPECT_EQ(FileOf(repository_, "big.bin"), pointer);
  EXPECT_EQ(FileOf(repository_, "again.bin"), pointer);
  const auto commit = git::ReadCommit(*Git(repository_), outcome->commit);
  ASSERT_OK(commit);
  EXPECT_EQ(commit->title, "A commit");
  EXPECT_EQ(commit->description, "Of mine");
  EXPECT_EQ(commit->author.name, "ada");
  EXPECT_EQ(commit->author.email, "ada@users.noreply.localhost");
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repository_content WHERE path = 'big.bin' AND ref = 'refs/heads/main'"), 1);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repository_events WHERE action = 'push' AND new_oid = $1 AND old_oid = $2",
                  outcome->commit.ToHex(), outcome->parent->ToHex()),
            1);
  EXPECT_GT(Find("ada", "demo")->repository.updated_at, repository_.updated_at);
}

TEST_P(CommitsTest, AStaleParentIsRefusedInTheWordsOfTheClients) {
  const git::Oid stale = Head(repository_);
  ASSERT_OK(Commit(ada_, {Header(stale.ToHex()), File("a", "1")}));
  const Error error = Refused(ada_, {Header(stale.ToHex()), File("a", "2")});
  EXPECT_EQ(error.code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(error.message, "The branch was updated since you opened this page. Please refresh and try again.");
  EXPECT_EQ(Refused(ada_, {Header("main"), File("a", "2")}).code, ErrorCode::kCorrupt);
}

TEST_P(CommitsTest, TwoThatNameNoParentBothSucceed) {
  const auto one = CommitUpload::Begin(*repositories_, content_, ada_, repository_, {});
  const auto two = CommitUpload::Begin(*repositories_, content_, ada_, repository_, {});
  ASSERT_OK(one);
  ASSERT_OK(two);
  ASSERT_OK((*one)->Add(Header() + "\n" + File("a", "1") + "\n"));
  ASSERT_OK((*two)->Add(Header() + "\n" + File("b", "2") + "\n"));
  ASSERT_OK((*one)->Finish());
  ASSERT_OK((*two)->Finish());
  EXPECT_EQ(FileOf(repository_, "a"), "1");
  EXPECT_EQ(FileOf(repository_, "b"), "2");
}

TEST_P(CommitsTest, BadPathsAreRefusedWhereverAPathIsNamed) {
  content_.Add(ada_.user_id, kSha256, "x");
  for (const char* path : {"", "..\\\\ddd", "../x", "a/../../x", "/a", ".git/hooks/x", "a\\u0000b"}) {
    for (const std::string& line :
         {File(path, "x"), Large(path, kSha256), Deleted(path),
          fmt::format(R"({{"key":"copyFile","value":{{"srcPath":".gitattributes","path":"{}"}}}})", path)}) {
      EXPECT_EQ(Refused(ada_, {Header(), line}).code, ErrorCode::kInvalidArgument) << line;
    }
  }
  EXPECT_EQ(Refused(ada_, {Header(), File("a", "1"), File("a/b", "2")}).code, ErrorCode::kInvalidArgument);
}

TEST_P(CommitsTest, WhatIsNotThereCannotBeDeletedOrCopied) {
  for (const std::string& line :
       {Deleted("none"), std::string(R"({"key":"deletedFolder","value":{"path":".gitattributes"}})"),
        std::string(R"({"key":"copyFile","value":{"srcPath":"none","path":"x"}})"),
        std::string(R"({"key":"copyFile","value":{"srcPath":".gitattributes","srcRevision":"none","path":"x"}})")}) {
    EXPECT_EQ(Refused(ada_, {Header(), line}).code, ErrorCode::kNotFound) << line;
  }
  EXPECT_TRUE(Refused(ada_, {Header(), Deleted("none")}).message.starts_with("A file with this name doesn't exist"));
}

TEST_P(CommitsTest, ContentIsNamedOnlyByWhoHasSentItOrMayReadIt) {
  content_.Add(ada_.user_id, kSha256, "secret");
  const Repository theirs = *repositories_->Create(bob_, New(bob_, "theirs"));
  const Repository mine = Make(ada_, "mine", /*is_private=*/true);
  const std::string written = git::FormatPointer({.sha256 = kSha256, .size = 6});
  const auto try_to_name = [&](const std::string& line) {
    std::swap(repository_, const_cast<Repository&>(theirs));
    const auto outcome = Commit(bob_, {Header(), line});
    std::swap(repository_, const_cast<Repository&>(theirs));
    return outcome;
  };
  // It has been uploaded by somebody else, and then lies in a private repository.
  EXPECT_EQ(try_to_name(Large("x", kSha256)).error().code, ErrorCode::kNotFound);
  std::swap(repository_, const_cast<Repository&>(mine));
  ASSERT_OK(Commit(ada_, {Header(), Large("x", kSha256)}));
  std::swap(repository_, const_cast<Repository&>(mine));
  EXPECT_EQ(try_to_name(Large("x", kSha256)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(try_to_name(File("x", written)).error().code, ErrorCode::kNotFound);
  // In a gated one it is for those who were let in, in a public one for everybody.
  ASSERT_OK(repositories_->Change(ada_, mine, {.is_private = false, .gating = Gating::kManual}));
  EXPECT_EQ(try_to_name(Large("x", kSha256)).error().code, ErrorCode::kNotFound);
  Execute(
      "INSERT INTO access_requests (repository_id, user_id, status, answers, rejection_reason, created_at,"
      " updated_at) VALUES ($1, $2, 'accepted', '{}', '', 0, 0)",
      mine.id, bob_.user_id);
  EXPECT_OK(try_to_name(Large("x", kSha256)));
  EXPECT_OK(try_to_name(File("y", written)));
  EXPECT_EQ(FileOf(theirs, "y"), written);
}

TEST_P(CommitsTest, ContentOfAnotherSizeOrThatIsNotThereIsRefused) {
  content_.Add(ada_.user_id, kSha256, "x");
  EXPECT_EQ(Refused(ada_, {Header(), Large("x", kSha256, "2")}).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Refused(ada_, {Header(), Large("x", std::string(64, 'b'), "1")}).code, ErrorCode::kNotFound);
}

TEST_P(CommitsTest, APullRequestGetsItsOwnRef) {
  const git::Oid main = Head(repository_);
  const auto outcome = Commit(bob_, {Header(), File("a", "1")}, {.create_pull_request = true});
  ASSERT_OK(outcome);
  EXPECT_EQ(outcome->pull_request, 1);
  EXPECT_EQ(Head(repository_), main);
  EXPECT_EQ(Head(repository_, "refs/pr/1"), outcome->commit);
  EXPECT_EQ(outcome->parent, main);
  EXPECT_EQ(FileOf(repository_, "a", "refs/pr/1"), "1");
  ASSERT_OK(Commit(bob_, {Header(), File("b", "2")}, {.revision = "refs/pr/1"}));
  EXPECT_EQ(FileOf(repository_, "b", "refs/pr/1"), "2");
  // From the commit before that it names, even where the branch went on.
  ASSERT_OK(Commit(ada_, {Header(), File("c", "3")}));
  const auto older = Commit(bob_, {Header(main.ToHex()), File("d", "4")}, {.create_pull_request = true});
  ASSERT_OK(older);
  EXPECT_EQ(older->pull_request, 2);
  EXPECT_EQ(FileOf(repository_, "c", "refs/pr/2"), std::nullopt);
}

TEST_P(CommitsTest, ARefusedPullRequestLeavesNoRef) {
  EXPECT_EQ(Refused(bob_, {Header(), Deleted("none")}, {.create_pull_request = true}).code, ErrorCode::kNotFound);
  EXPECT_EQ(git::ListRefs(*Git(repository_))->pull_requests.size(), 0u);
}

TEST_P(CommitsTest, OnlyABranchThatIsThereTakesCommits) {
  const std::string head = Head(repository_).ToHex();
  for (const bool pull_request : {false, true}) {
    for (const std::string& revision : {head, std::string("none"), std::string("refs/pr/9"), std::string("refs/pr/x"),
                                        std::string("refs/tags/v1"), std::string("a..b"), std::string("")}) {
      EXPECT_EQ(Refused(ada_, {Header()}, {.revision = revision, .create_pull_request = pull_request}).code,
                ErrorCode::kNotFound)
          << revision;
    }
  }
  ASSERT_OK(git::CreateBranch(*Git(repository_), "a/b", Head(repository_)));
  EXPECT_OK(Commit(ada_, {Header(), File("x", "1")}, {.revision = "a/b"}));
  EXPECT_OK(Commit(ada_, {Header(), File("x", "2")}, {.revision = "refs/heads/a/b"}));
  EXPECT_EQ(FileOf(repository_, "x", "a/b"), "2");
}

TEST_P(CommitsTest, WhatIsNoCommitIsRefused) {
  EXPECT_EQ(Refused(ada_, {}).code, ErrorCode::kCorrupt);
  EXPECT_EQ(Refused(ada_, {Header(), "{}"}).code, ErrorCode::kCorrupt);
}

TEST_P(CommitsTest, NothingIsCommittedAfterALineWasRefused) {
  const git::Oid before = Head(repository_);
  const auto upload = CommitUpload::Begin(*repositories_, content_, ada_, repository_, {});
  ASSERT_OK(upload);
  ASSERT_OK((*upload)->Add(Header() + "\n" + File("a", "1") + "\n"));
  EXPECT_EQ((*upload)->Add(File("../b", "2") + "\n").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ((*upload)->Add(File("c", "3") + "\n").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ((*upload)->Finish().error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Head(repository_), before);
}

TEST_P(CommitsTest, ARepositoryRefersToTheLargeFilesOfItsCommits) {
  content_.Add(ada_.user_id, kSha256, "12345");
  const std::string other(64, 'b');
  content_.Add(ada_.user_id, other, "1234567");
  ASSERT_OK(Commit(ada_, {Header(), Large("x", kSha256), Large("y", kSha256), Large("z", other)}));
  EXPECT_TRUE(*RefersTo(*database_, repository_, other));
  EXPECT_FALSE(*RefersTo(*database_, repository_, std::string(64, 'c')));
  const std::vector<std::string> asked = {kSha256, std::string(64, 'c'), other};
  EXPECT_EQ(*Unreferred(*database_, asked), std::vector<std::string>{std::string(64, 'c')});
  EXPECT_EQ(*ReferredAmong(*database_, repository_, asked), (std::unordered_set<std::string>{kSha256, other}));
}

TEST_P(CommitsTest, RowsOfContentAreMadeAnewFromWhatGitHolds) {
  content_.Add(ada_.user_id, kSha256, "12345");
  ASSERT_OK(Commit(ada_, {Header(), Large("d/x", kSha256)}));
  Execute("UPDATE repository_content SET sha256 = 'gone'");
  const auto git = Git(repository_);
  {
    const auto guard = git::WriteGuard::Take(*git);
    EXPECT_EQ(RebuildContent(*database_, repository_, *git, {}).error().code, ErrorCode::kUnavailable);
  }
  ASSERT_OK(RebuildContent(*database_, repository_, *git, {}));
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repository_content"), 1);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repository_content WHERE sha256 = $1 AND size = 5 AND path = 'd/x' AND"
                  " ref = 'refs/heads/main'",
                  kSha256),
            1);
}

}  // namespace
}  // namespace bothy
