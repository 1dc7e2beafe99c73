#include "hub/restore.h"

#include <gmock/gmock.h>

#include <thread>

#include "hub/backup_testing.h"

namespace bothy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class RestoreTest : public BackupTestBase {
 protected:
  fs::path place() const { return folder() / "restored"; }

  // PostgreSQL's database is emptied first, as its name must be the same: the hub is gone then.
  Result<RestoreReport> Bring(RestoreOptions options = {}, bool emptied = true) {
    hub_.reset();
    if (emptied && GetParam() == Dialect::kPostgresql) DatabaseTest::SetUp();
    options.folder = backups();
    if (options.hub.data.empty()) options.hub.data = place();
    options.hub.database = database();
    options.hub.clock = clock();
    return Restore(options, [&](const Finding& finding) {
      findings_.push_back(fmt::format("{} {}: {}", finding.kind, finding.subject, finding.message));
    });
  }

  std::unique_ptr<Hub> OpenRestored() {
    auto hub = Hub::Open({.data = place(), .database = database(), .clock = clock()});
    EXPECT_OK(hub);
    return hub ? *std::move(hub) : nullptr;
  }

  void ExpectNothingIsLeft() {
    EXPECT_FALSE(fs::exists(place()));
    EXPECT_FALSE(fs::exists(folder() / "restored.part"));
  }

  std::vector<std::string> findings_;
};
BOTHY_ON_BOTH_DATABASES(RestoreTest);

TEST_P(RestoreTest, GivesBackEverythingThatWasThere) {
  const Repository secret = Make(bob_, "secret");
  CommitLarge(bob_, secret, "weights.bin", RandomBytes(200'000, 5));
  const auto before = git::Resolve(*Git(demo_), "main");
  const std::string signed_text = hub_->signatures().Sign("test", "text", hub_->now() + std::chrono::hours(1));
  BackUp();
  CommitText(ada_, demo_, "later.txt", "too late");
  const auto report = Bring();
  ASSERT_OK(report);
  EXPECT_THAT(findings_, ElementsAre());
  EXPECT_TRUE(report->dropped.empty());
  EXPECT_EQ(report->diagnosis.repositories, 2u);
  EXPECT_EQ(report->diagnosis.large_files, 2u);
  EXPECT_FALSE(fs::exists(folder() / "restored.part"));
  const auto hub = OpenRestored();
  EXPECT_EQ(Download(*hub, demo_, "model.bin"), large_);
  EXPECT_EQ(Download(*hub, demo_, "notes.txt"), "first");
  EXPECT_THAT(Download(*hub, demo_, "later.txt"), HasSubstr("error: "));
  EXPECT_EQ(Download(*hub, secret, "weights.bin"), RandomBytes(200'000, 5));
  EXPECT_EQ(*git::Resolve(*Git(*hub, demo_), "main"), *before);
  EXPECT_EQ(hub->signatures().Open("test", signed_text), "text");
}

// A file that two hubs share would be damaged in both.
TEST_P(RestoreTest, SharesNoFileWithTheBackup) {
  BackUp();
  ASSERT_OK(Bring());
  for (const fs::path& place_of_files : {backups(), place()}) {
    for (const auto& entry : fs::recursive_directory_iterator(place_of_files)) {
      if (entry.is_regular_file()) {
        EXPECT_EQ(entry.hard_link_count(), 1u) << entry.path();
      }
    }
  }
}

TEST_P(RestoreTest, AnEarlierSnapshotIsRestoredByItsName) {
  const std::string first = BackUp();
  CommitText(ada_, demo_, "later.txt", "second");
  BackUp();
  ASSERT_OK(Bring({.snapshot = first}));
  const auto hub = OpenRestored();
  EXPECT_THAT(Download(*hub, demo_, "later.txt"), HasSubstr("error: "));
  EXPECT_EQ(Download(*hub, demo_, "notes.txt"), "first");
}

TEST_P(RestoreTest, WhatIsNotThereIsNotFound) {
  auto report = Bring({}, false);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
  Start();
  BackUp();
  report = Bring({.snapshot = "2020-01-01T00-00-00Z"}, false);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
  ExpectNothingIsLeft();
}

TEST_P(RestoreTest, GoesOnlyIntoANewFolder) {
  BackUp();
  fs::create_directories(place() / "something");
  const auto report = Bring({}, false);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(report.error().message, HasSubstr(place().string()));
  fs::remove(place() / "something");
  fs::create_directories(folder() / "restored.part");
  EXPECT_THAT(Bring({}, false).error().message, HasSubstr("a restore is under way, or was killed"));
  fs::remove(folder() / "restored.part");
  EXPECT_OK(Bring({.hub = {.data = place() / ""}}));  // an empty one, with a slash at its end
  EXPECT_NE(OpenRestored(), nullptr);
}

TEST_P(RestoreTest, AMissingOrCutBlobIsNamedBeforeAnythingIsWritten) {
  BackUp();
  const fs::path blob = PoolFiles().at(0);
  Overwrite(blob, large_.substr(1));
  auto report = Bring({}, false);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(report.error().message, HasSubstr(blob.filename().string()));
  EXPECT_THAT(report.error().message, HasSubstr("299999 bytes"));
  fs::remove(blob);
  report = Bring({}, false);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr(blob.filename().string() + " of 300000 bytes is missing"));
  ExpectNothingIsLeft();
}

TEST_P(RestoreTest, ADamagedBlobIsNamedAndLeavesNothing) {
  BackUp();
  const fs::path blob = PoolFiles().at(0);
  std::string damaged = large_;
  damaged[123'456] = static_cast<char>(damaged[123'456] ^ 1);
  Overwrite(blob, damaged);
  auto report = Bring();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(report.error().message, HasSubstr(blob.filename().string() + ": chunk "));
  EXPECT_EQ(report.error().message.find("has been filled") != std::string::npos, GetParam() == Dialect::kPostgresql);
  ExpectNothingIsLeft();
  ASSERT_OK(Bring({.verify = false}));
  EXPECT_EQ(Download(*OpenRestored(), demo_, "model.bin"), damaged);
}

TEST_P(RestoreTest, ThatIsGivenUpLeavesNothing) {
  BackUp();
  for (const std::string_view at : {"checking", "database", "content", "repositories"}) {
    const auto report = Bring({.progress = [&](std::string_view what, uint64_t, uint64_t) { return what != at; }});
    ASSERT_FALSE(report) << at;
    EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
    ExpectNothingIsLeft();
  }
}

TEST_P(RestoreTest, ASnapshotGoesIntoTheKindOfDatabaseThatItCameFrom) {
  BackUp();
  hub_.reset();
  for (const std::string& other :
       {"sqlite:" + (folder() / "x.db").string(), std::string("postgresql:///x"), std::string()}) {
    const bool fits = GetParam() == Dialect::kSqlite ? other.empty() : other.starts_with("postgresql:");
    if (fits) continue;
    const auto report =
        Restore({.folder = backups(), .hub = {.data = place(), .database = other}}, [](const Finding&) {});
    ASSERT_FALSE(report) << other;
    EXPECT_EQ(report.error().code, ErrorCode::kInvalidArgument) << report.error().message;
  }
  ExpectNothingIsLeft();
}

// All that can happen to repositories between their copies and that of the database.
TEST_P(RestoreTest, RepositoriesThatChangedWhileTheBackupWasMadeAreSettled) {
  const Repository moved = Make(ada_, "moved");
  CommitText(ada_, moved, "a.txt", "moved");
  const Repository deleted = Make(ada_, "deleted");
  Repository made;
  bool changed = false;
  ASSERT_OK(Back({.progress = [&](std::string_view what, uint64_t done, uint64_t total) {
    if (what == "repositories" && done == total && !std::exchange(changed, true)) {
      EXPECT_OK(hub_->repositories().Move(ada_, moved, bob_.user_id, bob_.name, "elsewhere"));
      EXPECT_OK(hub_->repositories().Delete(ada_, deleted));
      made = Make(ada_, "moved");  // where the other one was
    }
    return true;
  }}));
  // The page of rows that was read before is at its end: what was made later is found by the next one.
  const auto report = Bring();
  ASSERT_OK(report);
  EXPECT_THAT(findings_, ElementsAre());
  const auto hub = OpenRestored();
  const auto found = hub->repositories().Find({}, RepositoryKind::kModel, "bob", "elsewhere");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ(Download(*hub, (*found)->repository, "a.txt"), "moved");
  EXPECT_FALSE(*hub->repositories().Find({}, RepositoryKind::kModel, "ada", "deleted"));
  EXPECT_FALSE(fs::exists(place() / "git" / deleted.folder));
  const auto again = hub->repositories().Find({}, RepositoryKind::kModel, "ada", "moved");
  ASSERT_TRUE(again && *again);
  EXPECT_EQ((*again)->repository.id, made.id);
}

TEST_P(RestoreTest, ARepositoryThatWasMadeTooLateIsDropped) {
  const Repository late = Make(ada_, "late");
  const std::string name = BackUp();
  // As if it had been made after the repositories were copied and before the database was.
  fs::remove_all(GitFolderOf(backups() / "snapshots" / name, late.id));
  const auto report = Bring();
  ASSERT_OK(report);
  EXPECT_THAT(report->dropped, ElementsAre(late.folder));
  EXPECT_THAT(findings_, ElementsAre());
  const auto hub = OpenRestored();
  EXPECT_FALSE(*hub->repositories().Find({}, RepositoryKind::kModel, "ada", "late"));
  EXPECT_OK(hub->repositories().Create(ada_, {.owner_id = ada_.user_id, .owner = "ada", .name = "late"}));
}

// A writer that pushes all the time: whatever the snapshot's refs lead to is in it.
TEST_P(RestoreTest, ABackupBesidePushesIsConsistent) {
  std::atomic<bool> stop = false;
  std::atomic<int> acknowledged = 0;
  std::thread writer([&] {
    for (int i = 0; !stop; i++) {
      CommitLarge(ada_, demo_, fmt::format("{}.bin", i), RandomBytes(20'000, 100 + static_cast<uint64_t>(i)));
      acknowledged = i + 1;
    }
  });
  while (acknowledged < 2) std::this_thread::yield();
  int before = 0;
  for (int i = 0; i < 3; i++) {
    before = acknowledged;
    BackUp();
  }
  stop = true;
  writer.join();
  ASSERT_OK(Bring());
  EXPECT_THAT(findings_, ElementsAre());
  const auto hub = OpenRestored();
  for (int i = 0; i < before; i++) {
    EXPECT_EQ(Download(*hub, demo_, fmt::format("{}.bin", i)), RandomBytes(20'000, 100 + static_cast<uint64_t>(i)));
  }
}

}  // namespace
}  // namespace bothy
