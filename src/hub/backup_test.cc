#include "hub/backup.h"

#include <gmock/gmock.h>

#include "hub/backup_testing.h"
#include "hub/data_lock.h"

namespace bothy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class BackupTest : public BackupTestBase {};
BOTHY_ON_BOTH_DATABASES(BackupTest);

TEST_P(BackupTest, ASnapshotHasRepositoriesTheDatabaseAndTheNamesOfBlobs) {
  std::ofstream(data() / "bothy.toml") << "listen = \"0.0.0.0:80\"\n";
  const auto report = Back();
  ASSERT_OK(report);
  const SnapshotFolder folder(backups());
  EXPECT_THAT(*folder.Names(), ElementsAre(report->snapshot.name));
  EXPECT_EQ(NamesIn(folder.PathOf(report->snapshot.name)),
            (std::set<std::string>{"git", "blobs.txt", "manifest.json", "bothy.toml",
                                   GetParam() == Dialect::kSqlite ? "bothy.db" : "postgresql.dump"}));
  const auto read = folder.Read(report->snapshot.name);
  ASSERT_OK(read);
  EXPECT_EQ(read->dialect, GetParam());
  EXPECT_EQ(read->repositories, 1u);
  EXPECT_EQ(read->blobs, 1u);
  EXPECT_EQ(read->blob_bytes, 300'000u);
  EXPECT_EQ(read->new_bytes, read->bytes());
  EXPECT_TRUE(report->missing.empty());
  ASSERT_EQ(PoolFiles().size(), 1u);
  EXPECT_EQ(ReadTestFile(PoolFiles()[0]), large_);
  EXPECT_OK(git::GitRepository::Open(GitFolderOf(folder.PathOf(report->snapshot.name), demo_.id)));
}

TEST_P(BackupTest, TheNextOneCopiesWhatIsNewOnly) {
  BackUp();
  CommitLarge(ada_, demo_, "more.bin", RandomBytes(50'000, 2));
  const auto second = Back();
  ASSERT_OK(second);
  EXPECT_EQ(second->snapshot.blob_bytes, 350'000u);
  // The new blob, the database, and a few small files of git.
  EXPECT_LT(second->snapshot.new_bytes, 50'000u + second->snapshot.database_bytes + 5'000u);
  EXPECT_GE(second->snapshot.new_bytes, 50'000u + second->snapshot.database_bytes);
}

TEST_P(BackupTest, OldSnapshotsGoWithTheBlobsThatOnlyTheyNeed) {
  const std::string first = BackUp();
  ASSERT_OK(hub_->repositories().Delete(ada_, demo_));
  const Repository other = Make(ada_, "other");
  Wait(std::chrono::days(30));
  ASSERT_OK(hub_->content().Collect([]() -> Result<std::vector<Digest256>> { return std::vector<Digest256>(); },
                                    std::chrono::days(22)));
  EXPECT_EQ(PoolFiles().size(), 1u);
  CommitLarge(ada_, other, "again.bin", RandomBytes(60'000, 3));
  const std::string second = BackUp();
  EXPECT_EQ(PoolFiles().size(), 2u);
  const auto third = Back({.keep = 2});
  ASSERT_OK(third);
  EXPECT_EQ(third->removed_snapshots, 1u);
  EXPECT_EQ(third->removed_bytes, 300'000u);
  EXPECT_THAT(*SnapshotFolder(backups()).Names(), ElementsAre(second, third->snapshot.name));
  ASSERT_EQ(PoolFiles().size(), 1u);
  EXPECT_EQ(fs::file_size(PoolFiles()[0]), 60'000u);
  EXPECT_EQ(Back({.keep = 3})->removed_snapshots, 0u);
}

TEST_P(BackupTest, NothingIsRemovedWhereAListOfBlobsIsDamaged) {
  const std::string first = BackUp();
  const std::string second = BackUp();
  std::ofstream(backups() / "snapshots" / second / "blobs.txt") << "";
  const auto third = Back({.keep = 2});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(third.error().message, HasSubstr("is complete, but older ones could not be removed"));
  EXPECT_EQ(SnapshotFolder(backups()).Names()->size(), 3u);
  EXPECT_EQ(PoolFiles().size(), 1u);
}

TEST_P(BackupTest, OneThatIsGivenUpLeavesNoSnapshot) {
  for (const std::string_view at : {"repositories", "database", "content"}) {
    const auto report = Back({.progress = [&](std::string_view what, uint64_t, uint64_t) { return what != at; }});
    ASSERT_FALSE(report) << at;
    EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(NamesIn(backups() / "snapshots"), std::set<std::string>());
  }
  EXPECT_OK(Back());
}

TEST_P(BackupTest, WhatACrashHasLeftIsRemovedByTheNextOne) {
  fs::create_directories(backups() / "snapshots" / "2026-01-01T00-00-00Z.part" / "git");
  const std::string name = BackUp();
  EXPECT_EQ(NamesIn(backups() / "snapshots"), std::set<std::string>{name});
}

TEST_P(BackupTest, OnlyOneIsMadeAtATimeAndNoneWhileContentIsRemoved) {
  fs::create_directories(backups());
  {
    const auto other = DataLock::Take(backups(), DataLockKind::kBackups, "bothy backup");
    const auto report = Back();
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(report.error().message, HasSubstr("is in use by bothy backup"));
  }
  {
    const auto gc = DataLock::Take(data(), DataLockKind::kRemoval, "bothy gc");
    const auto report = Back();
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message, HasSubstr("is in use by bothy gc"));
  }
  // And the other way round.
  EXPECT_OK(Back({.progress = [&](std::string_view, uint64_t, uint64_t) {
    EXPECT_EQ(DataLock::Take(data(), DataLockKind::kRemoval, "bothy gc").error().code, ErrorCode::kUnavailable);
    return true;
  }}));
}

TEST_P(BackupTest, DoesNotGoIntoTheFolderOfData) {
  for (const fs::path& inside : {data(), data() / "backups", data() / "blobs" / ".." / "x"}) {
    const auto report = MakeBackup(*hub_, {.folder = inside});
    ASSERT_FALSE(report) << inside;
    EXPECT_EQ(report.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_FALSE(fs::exists(data() / "backups"));
}

TEST_P(BackupTest, DamagedContentIsNoBackupUntilItIsNoted) {
  for (const auto& entry : fs::recursive_directory_iterator(data() / "blobs")) {
    if (entry.is_regular_file()) Overwrite(entry.path(), RandomBytes(300'000, 9));
  }
  const auto report = Back();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(report.error().message, HasSubstr("bothy doctor --repair"));
  EXPECT_EQ(NamesIn(backups() / "snapshots"), std::set<std::string>());
  ASSERT_OK(hub_->content().Verify({.repair = true}, [](const content::Problem&) {}));
  EXPECT_EQ(Back()->snapshot.blobs, 0u);
}

TEST_P(BackupTest, ARepositoryThatIsMissingOnTheDiskIsNamed) {
  const Repository lost = Make(ada_, "lost");
  fs::remove_all(PathOf(lost));
  const auto report = Back();
  ASSERT_OK(report);
  EXPECT_THAT(report->missing, ElementsAre(lost.folder));
  EXPECT_EQ(report->snapshot.repositories, 1u);
}

TEST_P(BackupTest, NamesKeepTheOrderOfBackups) {
  // As if the clock had been set back by an hour.
  const std::string later = SnapshotName(hub_->now() + std::chrono::hours(1));
  fs::create_directories(backups() / "snapshots" / later);
  fs::create_directories(backups() / "snapshots" / "something else");
  const std::string name = BackUp();
  EXPECT_GT(name, later);
  EXPECT_GT(BackUp(), name);
  fs::create_directories(backups() / "snapshots" / "2099-12-31T23-59-59Z");
  const auto report = Back();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kFailedPrecondition);
}

TEST(Snapshots, ATimeBecomesANameAndNothingElseIsOne) {
  EXPECT_EQ(SnapshotName(Timestamp(std::chrono::seconds(1'795'848'012))), "2026-11-28T06-40-12Z");
  EXPECT_TRUE(IsSnapshotName("2026-11-28T06-40-12Z"));
  for (const std::string_view name :
       {"", "2026-11-28T06-40-12", "2026-11-28T06-40-12Z.part", "2026-11-28T06:40:12Z", "../../11-28T06-40-12Z"}) {
    EXPECT_FALSE(IsSnapshotName(name)) << name;
  }
}

TEST(Snapshots, AManifestThatIsDamagedOrNewerIsRefused) {
  const TemporaryFolder place;
  const SnapshotFolder folder(place.path());
  const std::string name = "2026-11-28T06-40-12Z";
  EXPECT_EQ(folder.Read(name).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(folder.Read("..").error().code, ErrorCode::kNotFound);
  fs::create_directories(folder.PathOf(name));
  EXPECT_EQ(folder.Read(name).error().code, ErrorCode::kNotFound);
  const auto code_of = [&](const std::string& manifest) {
    std::ofstream(folder.PathOf(name) / "manifest.json") << manifest;
    return folder.Read(name).error().code;
  };
  EXPECT_EQ(code_of("{\"version\":1"), ErrorCode::kCorrupt);
  EXPECT_EQ(code_of("[]"), ErrorCode::kCorrupt);
  EXPECT_EQ(code_of("{\"version\":2}"), ErrorCode::kUnimplemented);
  EXPECT_EQ(code_of("{\"version\":1,\"database\":\"oracle\"}"), ErrorCode::kCorrupt);
  EXPECT_EQ(code_of("{\"version\":1,\"database\":\"sqlite\"}"), ErrorCode::kCorrupt);
  EXPECT_EQ(code_of(std::string((1 << 20) + 1, ' ')), ErrorCode::kResourceExhausted);
  ASSERT_OK(SnapshotFolder::WriteManifest(folder.PathOf(name), {.name = name, .repositories = 7}));
  EXPECT_EQ(folder.Read(name)->repositories, 7u);
}

TEST(Snapshots, AListOfBlobsIsReadWholeOrNotAtAll) {
  const TemporaryFolder place;
  const SnapshotFolder folder(place.path());
  const Snapshot snapshot{.name = "2026-11-28T06-40-12Z", .blobs = 2};
  fs::create_directories(folder.PathOf(snapshot.name));
  const std::string a(64, 'a'), b(64, 'b');
  const auto read = [&](const std::string& list) {
    std::ofstream(folder.PathOf(snapshot.name) / "blobs.txt") << list;
    uint64_t sum = 0;
    const auto done = folder.ForEachBlob(snapshot, [&](const BlobName&, uint64_t size) -> Result<void> {
      sum += size;
      return {};
    });
    return done ? static_cast<int64_t>(sum) : -1;
  };
  EXPECT_EQ(read(a + " 1\n" + b + " 20\n"), 21);
  EXPECT_EQ(read(a + " 1\n"), -1);
  EXPECT_EQ(read(a + " 1\n" + b + " 20\n" + a + " 1\n"), -1);
  for (const std::string& line : {std::string(), std::string("x"), a, a + " ", a + " -1", a + " 1x", a + "_1"}) {
    EXPECT_EQ(read(a + " 1\n" + line + "\n"), -1) << line;
  }
}

}  // namespace
}  // namespace bothy
