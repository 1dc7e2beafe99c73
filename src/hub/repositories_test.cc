#include "hub/repositories.h"

#include <fstream>

#include "hub/repositories_testing.h"
#include "hub/repository_folder.h"
#include "hub/repository_template.h"
#include "store/git/commit_session.h"
#include "store/git/commits.h"

namespace bothy {
namespace {

BOTHY_ON_BOTH_DATABASES(RepositoriesTest);

ErrorCode CodeOf(const auto& result) { return result ? ErrorCode::kInternal : result.error().code; }

TEST_P(RepositoriesTest, ANewRepositoryHasOneCommitWithItsAttributes) {
  const Repository made = Make(ada_, "demo");
  const auto history = git::ListCommits(*Git(made), Head(made), {});
  ASSERT_OK(history);
  ASSERT_EQ(history->commits.size(), 1u);
  EXPECT_EQ(history->commits[0].title, "initial commit");
  EXPECT_EQ(history->commits[0].author.name, "ada");
  EXPECT_EQ(FileOf(made, ".gitattributes"), InitialAttributes(RepositoryKind::kModel));
  EXPECT_EQ(FileOf(made, "README.md"), std::nullopt);
  EXPECT_EQ(Git(made)->path(), std::filesystem::canonical(folder() / "git/models/ada/demo.git"));
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repository_events WHERE action = 'create' AND repository = 'models/ada/demo'"),
            1);
}

TEST_P(RepositoriesTest, WhatWasChosenIsOnItsCard) {
  NewRepository space = New(ada_, "app", RepositoryKind::kSpace);
  space.space_sdk = "gradio";
  space.license = "apache-2.0";
  const auto made = repositories_->Create(ada_, space);
  ASSERT_OK(made);
  EXPECT_EQ(FileOf(*made, "README.md"), "---\ntitle: \"app\"\nsdk: gradio\nlicense: apache-2.0\n---\n");
  space.license = "a\nb: c";
  EXPECT_EQ(CodeOf(repositories_->Create(ada_, space)), ErrorCode::kInvalidArgument);
}

TEST_P(RepositoriesTest, IsFoundByAnyCaseOfItsName) {
  const Repository made = Make(bob_, "Demo");
  const auto found = Find("BOB", "dEMO");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->repository.id, made.id);
  EXPECT_EQ(found->repository.FullName(), "Bob/Demo");
  EXPECT_FALSE(found->moved);
  EXPECT_FALSE(Find("ada", "demo"));
  EXPECT_FALSE(Find("bob", "demo2"));
  EXPECT_FALSE(Find("bob", std::string("\xff\0", 2)));
  EXPECT_FALSE(Find("", ""));
}

TEST_P(RepositoriesTest, ANameIsTakenOnceWhateverItsCaseAndOnceForEachKind) {
  Make(ada_, "demo");
  const auto again = repositories_->Create(ada_, New(ada_, "DEMO"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(again.error().message, "A model repository called ada/DEMO already exists");
  EXPECT_OK(repositories_->Create(ada_, New(ada_, "demo", RepositoryKind::kDataset)));
  EXPECT_OK(repositories_->Create(ada_, New(ada_, "demo", RepositoryKind::kKernel)));
  EXPECT_OK(repositories_->Create(bob_, New(bob_, "demo")));
  EXPECT_EQ(CodeOf(repositories_->Create(ada_, New(ada_, "../demo"))), ErrorCode::kInvalidArgument);
}

TEST_P(RepositoriesTest, FactsAreThoseOfTheActorWhoAsks) {
  const Repository made = Make(ada_, "demo");
  ASSERT_OK(repositories_->Change(ada_, made, {.is_private = true, .gating = Gating::kManual}));
  Execute(
      "INSERT INTO access_requests (repository_id, user_id, status, answers, rejection_reason, created_at,"
      " updated_at) VALUES ($1, $2, 'accepted', '{}', '', 0, 0)",
      made.id, bob_.user_id);
  const auto of_bob = Find("ada", "demo", bob_);
  ASSERT_TRUE(of_bob);
  EXPECT_TRUE(of_bob->facts.is_private);
  EXPECT_EQ(of_bob->facts.gating, Gating::kManual);
  EXPECT_EQ(of_bob->facts.access, AccessRequest::kAccepted);
  EXPECT_EQ(of_bob->facts.owner.id, ada_.user_id);
  EXPECT_EQ(of_bob->facts.creator_id, ada_.user_id);
  EXPECT_EQ(Find("ada", "demo")->facts.access, AccessRequest::kNone);
  ASSERT_OK(repositories_->Change(ada_, made, {.is_private = false}));
  EXPECT_FALSE(Find("ada", "demo")->facts.is_private);
  EXPECT_EQ(Find("ada", "demo")->facts.gating, Gating::kManual);
}

TEST_P(RepositoriesTest, ADeletedRepositoryLeavesNothing) {
  const Repository made = Make(ada_, "demo");
  ASSERT_OK(repositories_->Delete(ada_, made));
  EXPECT_FALSE(Find("ada", "demo"));
  EXPECT_TRUE(std::filesystem::is_empty(folder() / "git/models/ada"));
  EXPECT_EQ(CodeOf(repositories_->Delete(ada_, made)), ErrorCode::kNotFound);
  EXPECT_FALSE(repositories_->Open(made));
  Make(ada_, "demo");
}

TEST_P(RepositoriesTest, IsNotDeletedOrMovedWhileSomebodyWrites) {
  const Repository made = Make(ada_, "demo");
  {
    const auto guard = git::WriteGuard::Take(*Git(made));
    ASSERT_OK(guard);
    EXPECT_EQ(CodeOf(repositories_->Delete(ada_, made)), ErrorCode::kUnavailable);
    EXPECT_EQ(CodeOf(repositories_->Move(ada_, made, ada_.user_id, "ada", "other")), ErrorCode::kUnavailable);
  }
  EXPECT_FALSE(Find("ada", "other"));
  ASSERT_TRUE(Find("ada", "demo"));
  EXPECT_FALSE(Find("ada", "demo")->moved);
  ASSERT_OK(repositories_->Delete(ada_, made));
}

TEST_P(RepositoriesTest, AMovedRepositoryIsFoundByBothNamesUntilTheOldOneIsTaken) {
  const Repository made = Make(ada_, "demo");
  const auto moved = repositories_->Move(ada_, made, bob_.user_id, "Bob", "renamed");
  ASSERT_OK(moved);
  EXPECT_EQ(moved->folder, "models/Bob/renamed.git");
  const auto by_old = Find("ada", "Demo");
  ASSERT_TRUE(by_old);
  EXPECT_TRUE(by_old->moved);
  EXPECT_EQ(by_old->repository.FullName(), "Bob/renamed");
  EXPECT_FALSE(Find("bob", "renamed")->moved);
  EXPECT_NE(FileOf(*moved, ".gitattributes"), std::nullopt);
  EXPECT_NE(FileOf(made, ".gitattributes"), std::nullopt);  // by who has looked it up before
  const Repository other = Make(ada_, "demo");
  EXPECT_EQ(Find("ada", "demo")->repository.id, other.id);
}

TEST_P(RepositoriesTest, MovesBackAndForthAndToAnotherCase) {
  const Repository made = Make(ada_, "demo");
  const auto there = repositories_->Move(ada_, made, ada_.user_id, "ada", "other");
  ASSERT_OK(there);
  const auto back = repositories_->Move(ada_, *there, ada_.user_id, "ada", "demo");
  ASSERT_OK(back);
  EXPECT_FALSE(Find("ada", "demo")->moved);
  EXPECT_TRUE(Find("ada", "other")->moved);
  const auto upper = repositories_->Move(ada_, *back, ada_.user_id, "ada", "Demo");
  ASSERT_OK(upper);
  EXPECT_EQ(Find("ada", "demo")->repository.name, "Demo");
  EXPECT_FALSE(Find("ada", "demo")->moved);
}

TEST_P(RepositoriesTest, DoesNotMoveOntoAnother) {
  const Repository made = Make(ada_, "demo");
  const Repository other = Make(bob_, "Demo");
  const auto moved = repositories_->Move(ada_, made, bob_.user_id, "Bob", "demo");
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().message, "A model repository called Bob/demo already exists");
  EXPECT_EQ(Find("ada", "demo")->repository.id, made.id);
  EXPECT_EQ(Find("bob", "demo")->repository.id, other.id);
}

TEST_P(RepositoriesTest, ACopyHasTheBranchesTheTagsAndTheLargeFiles) {
  const Repository made = Make(ada_, "demo");
  const auto git = Git(made);
  ASSERT_OK(git::CreateBranch(*git, "side", Head(made)));
  ASSERT_OK(git::CreateTag(*git, "v1", Head(made), "", AuthorOf(ada_, {})));
  ASSERT_OK(git::CreatePullRequest(*git, 1, Head(made)));
  const std::vector<ReferredFile> files = {{std::string(64, 'a'), 10, "big.bin", "refs/heads/main"}};
  ASSERT_OK(AddContent(*database_, made, {.files = files}, {}));
  const auto copy = repositories_->Duplicate(bob_, made, New(bob_, "copy"));
  ASSERT_OK(copy);
  EXPECT_EQ(Head(*copy), Head(made));
  EXPECT_EQ(Head(*copy, "side"), Head(made));
  EXPECT_EQ(Head(*copy, "v1"), Head(made));
  EXPECT_FALSE(git::Resolve(*Git(*copy), "refs/pr/1"));
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repository_content WHERE repository_id = $1", copy->id), 1);
  EXPECT_EQ(CodeOf(repositories_->Duplicate(bob_, made, New(bob_, "copy"))), ErrorCode::kAlreadyExists);
  // Nothing of the copy lies in the source.
  ASSERT_OK(repositories_->Delete(ada_, made));
  EXPECT_NE(FileOf(*copy, ".gitattributes"), std::nullopt);
}

TEST_P(RepositoriesTest, AMirrorIsKnownByItsOriginalAndNotCopied) {
  const Repository made = Make(ada_, "demo");
  EXPECT_EQ(Find("ada", "demo")->repository.mirror_of, "");
  EXPECT_FALSE(Find("ada", "demo")->facts.mirror);
  Execute("INSERT INTO mirrors (repository_id, address) VALUES ($1, $2)", made.id, "https://hub.example/ada/demo");
  const auto found = Find("ada", "demo");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->repository.mirror_of, "https://hub.example/ada/demo");
  EXPECT_TRUE(found->facts.mirror);
  EXPECT_EQ(CodeOf(repositories_->Duplicate(bob_, found->repository, New(bob_, "copy"))), ErrorCode::kPermissionDenied);
  ASSERT_OK(repositories_->Delete(ada_, found->repository));
  EXPECT_EQ(Count("SELECT COUNT(*) FROM mirrors"), 0);
}

TEST_P(RepositoriesTest, NumbersOfDiscussionsAreTakenOnce) {
  const Repository made = Make(ada_, "demo");
  EXPECT_EQ(*repositories_->TakeNumber(made), 1);
  EXPECT_EQ(*repositories_->TakeNumber(made), 2);
  EXPECT_EQ(*repositories_->TakeNumber(Make(ada_, "other")), 1);
}

// ---- What a crash leaves ----

TEST_P(RepositoriesTest, ACreationThatACrashHasCutIsUndoneByTheNextStart) {
  const Repository made = Make(ada_, "demo");
  const Repository bare = Make(ada_, "bare");
  Execute("UPDATE repositories SET state = 'creating'");
  std::filesystem::remove_all(folder() / "git" / bare.folder);  // cut before anything was on the disk
  Restart();
  const auto report = repositories_->Recover();
  ASSERT_OK(report);
  EXPECT_EQ(report->undone_creations, (std::vector<std::string>{made.folder, bare.folder}));
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repositories"), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder() / "git/models/ada"));
}

TEST_P(RepositoriesTest, ACreationThatCouldNotBeUndoneIsUndoneByTheNextOfThatName) {
  const Repository made = Make(ada_, "demo");
  Execute("UPDATE repositories SET state = 'creating'");
  EXPECT_FALSE(Find("ada", "demo"));
  const Repository again = Make(ada_, "demo");
  EXPECT_NE(again.id, made.id);
  EXPECT_TRUE(Find("ada", "demo"));
}

TEST_P(RepositoriesTest, ADeletionThatACrashHasCutIsFinished) {
  const Repository made = Make(ada_, "demo");
  Execute("UPDATE repositories SET state = 'deleting'");
  Restart();
  const auto report = repositories_->Recover();
  ASSERT_OK(report);
  EXPECT_EQ(report->finished_deletions, std::vector<std::string>{made.folder});
  EXPECT_TRUE(std::filesystem::is_empty(folder() / "git/models/ada"));
}

TEST_P(RepositoriesTest, AMoveThatACrashHasCutIsFinished) {
  const Repository early = Make(ada_, "early");  // cut before the disk followed
  const Repository late = Make(ada_, "late");    // and after
  Execute("UPDATE repositories SET name = 'new-' || name, key = 'new-' || key");
  std::filesystem::rename(folder() / "git/models/ada/late.git", folder() / "git/models/ada/new-late.git");
  // Both are open for who asks, before and after.
  Restart();
  for (const char* name : {"new-early", "new-late"}) EXPECT_TRUE(Git(Find("ada", name)->repository));
  Restart();
  const auto report = repositories_->Recover();
  ASSERT_OK(report);
  EXPECT_EQ(report->finished_moves, (std::vector<std::string>{"models/ada/new-early.git", "models/ada/new-late.git"}));
  EXPECT_EQ(Find("ada", "early")->repository.name, "new-early");
  EXPECT_EQ(Find("ada", "new-early")->repository.folder, "models/ada/new-early.git");
  EXPECT_EQ(Find("ada", "new-late")->repository.folder, "models/ada/new-late.git");
  EXPECT_EQ(repositories_->Recover()->finished_moves.size(), 0u);
}

TEST_P(RepositoriesTest, WhatDatabaseAndDiskDoNotAgreeOnIsReportedAndLeftAlone) {
  const Repository lost = Make(ada_, "lost");
  const Repository fine = Make(ada_, "fine");
  std::filesystem::rename(folder() / "git/models/ada/lost.git", folder() / "git/models/ada/stray.git");
  std::filesystem::create_directories(folder() / "git/models/ada" / (std::string(git::kTemporaryPrefix) + "x"));
  Restart();
  const auto report = repositories_->Recover();
  ASSERT_OK(report);
  EXPECT_EQ(report->missing, std::vector<std::string>{"models/ada/lost.git"});
  EXPECT_EQ(report->unknown, std::vector<std::string>{"models/ada/stray.git"});
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder() / "git/models/ada"), {}), 2);
  EXPECT_EQ(CodeOf(repositories_->Open(lost)), ErrorCode::kInternal);
  EXPECT_TRUE(Git(fine));
}

TEST_P(RepositoriesTest, AFolderThatBelongsToAnotherIsNeverOpened) {
  const Repository made = Make(ada_, "demo");
  const Repository other = Make(ada_, "other");
  std::filesystem::remove_all(folder() / "git" / made.folder);
  std::filesystem::rename(folder() / "git" / other.folder, folder() / "git" / made.folder);
  Restart();
  EXPECT_FALSE(repositories_->Open(made));
}

TEST_P(RepositoriesTest, WhoOnlyLooksTouchesNothingOfWhoWrites) {
  const Repository made = Make(ada_, "demo");
  const auto lock = folder() / "git" / made.folder / "refs/heads/main.lock";
  std::ofstream(lock) << "";
  Restart();
  EXPECT_TRUE(Git(made));
  EXPECT_TRUE(std::filesystem::exists(lock));
}

TEST_P(RepositoriesTest, LocksThatACrashHasLeftDoNotStopTheNextWriter) {
  const Repository made = Make(ada_, "demo");
  std::ofstream(folder() / "git" / made.folder / "refs/heads/main.lock") << "";
  Restart();
  ASSERT_OK(repositories_->Recover());
  EXPECT_OK(git::MoveRef(*Git(made), "refs/heads/main", Head(made), Head(made)));
}

}  // namespace
}  // namespace bothy
