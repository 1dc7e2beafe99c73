#include "hub/pushes.h"

#include "base/subprocess.h"
#include "hub/commits.h"
#include "hub/files.h"
#include "hub/preupload.h"
#include "hub/repositories_testing.h"
#include "hub/repository_refs.h"

namespace bothy {
namespace {

// Objects come in as a push brings them: by the git program, without a ref.
class PushesTest : public RepositoriesTest {
 protected:
  void SetUp() override {
    RepositoriesTest::SetUp();
    if (IsSkipped()) return;
    repository_ = Make(ada_, "demo");
    git_ = Git(repository_);
  }

  std::string RunGit(std::vector<std::string> arguments, const std::string& input = "") {
    SubprocessOptions options;
    options.arguments = {"git", "-c", "safe.directory=*"};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.environment = {fmt::format("PATH={}", getenv("PATH")), "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@b",
                           "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@b"};
    options.folder = git_->path();
    auto output = RunToEnd(options, input, 1 << 20);
    EXPECT_OK(output);
    if (!output) return "";
    while (output->ends_with('\n')) output->pop_back();
    return *output;
  }

  // A commit on the default branch's with this tree of files.
  git::Oid NewCommit(const std::vector<std::pair<std::string, std::string>>& files) {
    std::string tree;
    for (const auto& [name, content] : files) {
      tree += fmt::format("100644 blob {}\t{}", RunGit({"hash-object", "-w", "--stdin"}, content), name) + '\0';
    }
    const std::string made = RunGit({"mktree", "-z"}, tree);
    return *git::Oid::FromHex(RunGit({"commit-tree", made, "-p", "refs/heads/main", "-m", "pushed"}));
  }

  RefUpdate ToMain(const git::Oid& commit) { return {"refs/heads/main", Head(repository_), commit}; }

  std::vector<std::string> Problems(const std::vector<RefUpdate>& updates, const Actor& actor) {
    const auto verdict = CheckPush(*repositories_, content_, actor, repository_, updates);
    EXPECT_OK(verdict);
    return verdict ? verdict->problems : std::vector<std::string>{};
  }

  Repository repository_;
  std::shared_ptr<git::GitRepository> git_;
};

BOTHY_ON_BOTH_DATABASES(PushesTest);

TEST_P(PushesTest, AGoodPushMovesItsRefsAndIsNoted) {
  const std::string sha256(64, 'a');
  content_.Add(ada_.user_id, sha256, "12345");
  const std::vector<RefUpdate> updates = {
      ToMain(NewCommit({{"a", "1"}, {"big", git::FormatPointer({.sha256 = sha256, .size = 5})}})),
      {"refs/tags/v1", std::nullopt, Head(repository_)}};
  const auto verdict = CheckPush(*repositories_, content_, ada_, repository_, updates);
  ASSERT_OK(verdict);
  EXPECT_TRUE(verdict->problems.empty());
  const auto applied = ApplyPush(*repositories_, ada_, repository_, updates, *verdict);
  ASSERT_OK(applied);
  for (const auto& one : *applied) EXPECT_OK(one);
  EXPECT_EQ(FileOf(repository_, "a"), "1");
  EXPECT_EQ(Head(repository_, "v1"), *updates[0].before);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repository_content WHERE path = 'big' AND size = 5"), 1);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repository_events WHERE action = 'push'"), 2);
}

TEST_P(PushesTest, ARefThatHasMovedMeanwhileStays) {
  const git::Oid main = Head(repository_);
  const std::vector<RefUpdate> updates = {{"refs/heads/main", NewCommit({{"x", "1"}}), NewCommit({{"a", "1"}})},
                                          {"refs/heads/new", std::nullopt, main}};
  const auto verdict = CheckPush(*repositories_, content_, ada_, repository_, updates);
  ASSERT_OK(verdict);
  const auto applied = ApplyPush(*repositories_, ada_, repository_, updates, *verdict);
  ASSERT_OK(applied);
  EXPECT_EQ((*applied)[0].error().code, ErrorCode::kFailedPrecondition);
  EXPECT_OK((*applied)[1]);
  EXPECT_EQ(Head(repository_), main);
}

TEST_P(PushesTest, AFileMayBeAsLargeAsTheLimitAndNotOneByteMore) {
  EXPECT_TRUE(Problems({ToMain(NewCommit({{"a", std::string(kMaxRegularFileBytes, 'x')}}))}, ada_).empty());
  const auto problems = Problems({ToMain(NewCommit({{"a", std::string(kMaxRegularFileBytes + 1, 'x')}}))}, ada_);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_TRUE(problems[0].starts_with("\"a\" has 10485761 bytes")) << problems[0];
}

TEST_P(PushesTest, PointersMustBeToContentThatTheSenderMayName) {
  const std::string sha256(64, 'a');
  const RefUpdate update = ToMain(NewCommit({{"big", git::FormatPointer({.sha256 = sha256, .size = 5})}}));
  EXPECT_EQ(Problems({update}, ada_).size(), 1u);
  content_.Add(ada_.user_id, sha256, "12345");
  EXPECT_TRUE(Problems({update}, ada_).empty());
  EXPECT_EQ(Problems({update}, bob_).size(), 1u);
  content_.Add(ada_.user_id, sha256, "123456");
  EXPECT_EQ(Problems({update}, ada_).size(), 1u);
}

TEST_P(PushesTest, EveryPointerMustSayTheRightSize) {
  const std::string sha256(64, 'a');
  content_.Add(ada_.user_id, sha256, "12345");
  EXPECT_EQ(Problems({ToMain(NewCommit({{"a", git::FormatPointer({.sha256 = sha256, .size = 5})},
                                        {"b", git::FormatPointer({.sha256 = sha256, .size = 6})}}))},
                     ada_)
                .size(),
            1u);
}

// The objects of a refused push lie in the repository until they are dropped. Whoever has sent them knows their names.
TEST_P(PushesTest, WhatWasRefusedIsReachedByNoOtherWay) {
  const std::string sha256(64, 'a');
  content_.Add(ada_.user_id, sha256, "secret");
  const Repository theirs = *repositories_->Create(bob_, New(bob_, "theirs"));
  repository_ = theirs;
  git_ = Git(theirs);
  const git::Oid refused = NewCommit({{"x", git::FormatPointer({.sha256 = sha256, .size = 6})}});
  ASSERT_EQ(Problems({ToMain(refused)}, bob_).size(), 1u);

  const auto files = RepositoryFiles::Open(*repositories_, theirs, content_);
  ASSERT_OK(files);
  EXPECT_EQ(files->FindFile(refused, "x").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files->ListTree(refused, {})->entries.front().xet_hash, std::nullopt);

  const auto commit = [&](const std::string& lines, const CommitTarget& target) -> Result<CommitOutcome> {
    const auto upload = TRY(CommitUpload::Begin(*repositories_, content_, bob_, theirs, target));
    TRY(upload->Add(lines));
    return upload->Finish();
  };
  const auto copied =
      commit(fmt::format("{{\"key\":\"header\",\"value\":{{\"summary\":\"s\"}}}}\n{{\"key\":\"copyFile\",\"value\":"
                         "{{\"srcPath\":\"x\",\"srcRevision\":\"{}\",\"path\":\"y\"}}}}\n",
                         refused.ToHex()),
             {});
  EXPECT_EQ(copied.error().code, ErrorCode::kNotFound);
  const auto pull_request = commit(
      fmt::format("{{\"key\":\"header\",\"value\":{{\"summary\":\"s\",\"parentCommit\":\"{}\"}}}}\n", refused.ToHex()),
      {.create_pull_request = true});
  EXPECT_EQ(pull_request.error().code, ErrorCode::kNotFound);

  auto refs = RepositoryRefs::Open(*repositories_, theirs);
  ASSERT_OK(refs);
  EXPECT_EQ(refs->CreateBranch(bob_, {.name = "x", .start = refused.ToHex()}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(refs->CreateTag(bob_, "x", refused.ToHex(), "").error().code, ErrorCode::kNotFound);

  ASSERT_OK(RebuildContent(*database_, theirs, *git_, {}));
  EXPECT_FALSE(*MayReadContent(*database_, bob_, sha256));
}

TEST_P(PushesTest, PathsThatNotEverySystemCanHoldAreRefused) {
  for (const char* name : {"a\\b", "...", "\x01", "\xff", "GIT~1"}) {
    EXPECT_EQ(Problems({ToMain(NewCommit({{name, "x"}}))}, ada_).size(), 1u) << name;
  }
}

TEST_P(PushesTest, OnlyBranchesTagsAndPullRequestsThatAreThereArePushed) {
  const git::Oid main = Head(repository_);
  const git::Oid blob = *git::Oid::FromHex(RunGit({"rev-parse", "main:.gitattributes"}));
  for (const RefUpdate& update : std::vector<RefUpdate>{{"refs/pr/1", std::nullopt, main},
                                                        {"refs/pr/1", main, std::nullopt},
                                                        {"refs/notes/x", std::nullopt, main},
                                                        {"HEAD", main, main},
                                                        {"refs/heads/a..b", std::nullopt, main},
                                                        {"refs/heads/main", main, std::nullopt},
                                                        {"refs/heads/x", std::nullopt, blob}}) {
    EXPECT_EQ(Problems({update}, ada_).size(), 1u) << update.ref;
  }
  EXPECT_TRUE(Problems({{"refs/heads/x", main, std::nullopt}}, ada_).empty());
  EXPECT_TRUE(Problems({{"refs/pr/1", main, NewCommit({{"a", "1"}})}}, ada_).empty());
}

TEST_P(PushesTest, ProblemsAreNamedUntilThereAreManyOfThem) {
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 30; i++) files.emplace_back(fmt::format("f{}\\", i), "x");
  EXPECT_EQ(Problems({ToMain(NewCommit(files))}, ada_).size(), PushVerdict::kMaxProblems);
}

}  // namespace
}  // namespace bothy
