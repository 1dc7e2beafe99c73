#include "hub/doctor.h"

#include <gmock/gmock.h>

#include <fstream>
#include <thread>

#include "hub/data_lock.h"
#include "hub/hub_testing.h"
#include "hub/repository_large_files.h"

namespace bothy {
namespace {

using testing::HasSubstr;
using Kinds = std::vector<std::string>;

class DoctorTest : public HubTest {
 protected:
  std::vector<Finding> Look(const DoctorOptions& options = {}) {
    std::vector<Finding> findings;
    const auto diagnosis = Examine(*hub_, options, [&](const Finding& finding) { findings.push_back(finding); });
    EXPECT_OK(diagnosis);
    if (diagnosis) {
      EXPECT_EQ(diagnosis->problems, findings.size());
      last_ = *diagnosis;
    }
    return findings;
  }

  static Kinds KindsOf(const std::vector<Finding>& findings) {
    Kinds kinds;
    for (const Finding& finding : findings) kinds.emplace_back(finding.kind);
    return kinds;
  }

  // The blob of the only xorb.
  std::filesystem::path OnlyBlob() const {
    std::filesystem::path blob;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(data() / "blobs")) {
      if (entry.is_regular_file()) blob = entry.path();
    }
    return blob;
  }

  const std::string bytes_ = RandomBytes(300'000, 1);
  Diagnosis last_;
};

BOTHY_ON_BOTH_DATABASES(DoctorTest);

TEST_P(DoctorTest, AWholeHubIsClean) {
  const Repository demo = Make(ada_, "demo");
  Make(bob_, "empty");
  CommitLarge(ada_, demo, "a.bin", bytes_);
  CommitLarge(ada_, demo, "b.bin", RandomBytes(10'000, 2));
  CommitText(ada_, demo, "c.txt", "text");
  for (const bool quick : {false, true}) {
    EXPECT_EQ(KindsOf(Look({.quick = quick})), Kinds());
    EXPECT_TRUE(last_.clean());
    EXPECT_FALSE(last_.beside_server);
    EXPECT_EQ(last_.repositories, 2u);
    EXPECT_EQ(last_.large_files, 2u);
    EXPECT_EQ(last_.content_files, 2u);
    EXPECT_EQ(last_.content_bytes, quick ? 0 : bytes_.size() + 10'000);
  }
}

TEST_P(DoctorTest, DamagedContentIsNamedWithWhereItHasToBeUploadedAgain) {
  const Repository demo = Make(ada_, "demo");
  CommitLarge(ada_, demo, "weights.bin", bytes_);
  std::filesystem::permissions(OnlyBlob(), std::filesystem::perms::owner_all);
  std::fstream(OnlyBlob(), std::ios::in | std::ios::out | std::ios::binary).write("x", 1);
  EXPECT_EQ(KindsOf(Look({.quick = true})), Kinds());
  auto findings = Look({.repair = true});
  ASSERT_EQ(KindsOf(findings), (Kinds{"damaged_xorb", "damaged_file"}));
  EXPECT_THAT(findings[1].message, HasSubstr(": upload it again to models/ada/demo.git (\"weights.bin\")"));
  EXPECT_FALSE(last_.clean());
  EXPECT_EQ(Send(bob_, bytes_).size(), 64u);
  EXPECT_EQ(KindsOf(Look()), Kinds());
  EXPECT_EQ(Download(demo, "weights.bin"), bytes_);
}

TEST_P(DoctorTest, ContentThatIsGoneIsMissedByItsPointers) {
  const Repository demo = Make(ada_, "demo");
  const std::string sha256 = CommitLarge(ada_, demo, "weights.bin", bytes_);
  Execute("DELETE FROM content_files");
  const auto findings = Look({.repair = true});
  ASSERT_EQ(KindsOf(findings), Kinds{"missing_content"});
  EXPECT_EQ(findings[0].subject, "models/ada/demo.git");
  EXPECT_THAT(findings[0].message, HasSubstr("\"weights.bin\" (refs/heads/main) points to " + sha256));
  EXPECT_FALSE(findings[0].repaired);
}

TEST_P(DoctorTest, AMirrorMayBeWithoutContentThatNobodyHasAskedFor) {
  const Repository demo = Make(ada_, "demo");
  CommitLarge(ada_, demo, "weights.bin", bytes_);
  Execute("INSERT INTO mirrors (repository_id, address) VALUES ($1, $2)", demo.id, "https://hub.example/ada/demo");
  Execute("DELETE FROM content_files");
  EXPECT_EQ(KindsOf(Look()), Kinds());
  Execute("DELETE FROM repository_content");
  EXPECT_EQ(KindsOf(Look()), Kinds{"missing_content"});
}

TEST_P(DoctorTest, ARowThatWasLostIsMadeAgain) {
  const Repository demo = Make(ada_, "demo");
  CommitLarge(ada_, demo, "weights.bin", bytes_);
  Execute("DELETE FROM repository_content");
  EXPECT_THAT(Download(demo, "weights.bin"), HasSubstr("error"));
  EXPECT_EQ(KindsOf(Look()), Kinds{"unlisted_content"});
  EXPECT_FALSE(last_.clean());
  EXPECT_EQ(KindsOf(Look({.repair = true})), Kinds{"unlisted_content"});
  EXPECT_TRUE(last_.clean());
  EXPECT_EQ(KindsOf(Look()), Kinds());
  EXPECT_EQ(Download(demo, "weights.bin"), bytes_);
}

TEST_P(DoctorTest, WhatWasRemovedForGoodIsNotMissed) {
  const Repository demo = Make(ada_, "demo");
  const std::string sha256 = CommitLarge(ada_, demo, "weights.bin", bytes_);
  ASSERT_OK(RemoveLargeFiles(hub_->repositories(), ada_, demo, {.sha256s = {sha256}, .rewrite_history = false}));
  EXPECT_EQ(KindsOf(Look({.repair = true})), Kinds());
  EXPECT_THAT(Download(demo, "weights.bin"), HasSubstr("error"));
}

TEST_P(DoctorTest, ADamagedRepositoryIsNamedWithWhatGitSays) {
  const Repository demo = Make(ada_, "demo");
  CommitText(ada_, demo, "a.txt", "text");
  const auto git = Git(demo);
  const auto entry = git::FindEntry(*git, *git::Resolve(*git, "main"), "a.txt");
  ASSERT_OK(entry);
  const std::string oid = (*entry)->oid.ToHex();
  ASSERT_TRUE(std::filesystem::remove(PathOf(demo) / "objects" / oid.substr(0, 2) / oid.substr(2)));
  for (const bool quick : {false, true}) {
    const auto findings = Look({.repair = true, .quick = quick});
    ASSERT_EQ(KindsOf(findings), Kinds{"damaged_repository"});
    EXPECT_THAT(findings[0].message, HasSubstr("missing blob " + oid));
  }
}

TEST_P(DoctorTest, RowsAndFoldersThatDoNotAgreeAreNamed) {
  const Repository lost = Make(ada_, "lost");
  Make(ada_, "fine");
  std::filesystem::rename(PathOf(lost), data() / "git/models/ada/stray.git");
  Start();
  const auto findings = Look({.repair = true});
  ASSERT_EQ(KindsOf(findings), (Kinds{"unknown_repository", "missing_repository"}));
  EXPECT_EQ(findings[0].subject, "models/ada/stray.git");
  EXPECT_EQ(findings[1].subject, "models/ada/lost.git");
  EXPECT_EQ(last_.repositories, 2u);
}

TEST_P(DoctorTest, WhatACrashHasCutIsFinishedWhereNoServerRuns) {
  const Repository cut = Make(ada_, "cut");
  const Repository moved = Make(ada_, "moved");
  Execute("UPDATE repositories SET state = 'creating' WHERE id = $1", cut.id);
  Execute("UPDATE repositories SET name = 'new', key = 'new' WHERE id = $1", moved.id);
  std::filesystem::create_directories(data() / "git/models/ada" / (std::string(git::kTemporaryPrefix) + "x"));
  Start();
  EXPECT_EQ(KindsOf(Look()), (Kinds{"unfinished_change", "unfinished_change", "leftover_folder"}));
  {
    const auto server = DataLock::Take(data(), DataLockKind::kRepositories, "bothy serve");
    ASSERT_OK(server);
    EXPECT_EQ(KindsOf(Look({.repair = true})), Kinds());  // it may be at work on all of these
    EXPECT_TRUE(last_.beside_server);
  }
  EXPECT_EQ(KindsOf(Look({.repair = true})), (Kinds{"unfinished_change", "unfinished_change"}));
  EXPECT_TRUE(last_.clean());
  EXPECT_EQ(KindsOf(Look()), Kinds());
  EXPECT_FALSE(std::filesystem::exists(PathOf(cut)));
  EXPECT_TRUE(std::filesystem::exists(data() / "git/models/ada/new.git"));
}

TEST_P(DoctorTest, PushesBesideItAreNoProblems) {
  const Repository demo = Make(ada_, "demo");
  std::atomic<bool> stop = false;
  std::thread pusher([&] {
    for (uint64_t i = 0; !stop; i++) {
      CommitLarge(ada_, demo, fmt::format("{}.bin", i % 5), RandomBytes(20'000, i));
      const Repository other = Make(bob_, fmt::format("r{}", i));
      CommitText(bob_, other, "a.txt", "text");
      EXPECT_OK(hub_->repositories().Move(bob_, other, bob_.user_id, "bob", fmt::format("m{}", i)));
      if (i % 2 == 0) {
        const auto found = hub_->repositories().FindById(bob_, other.id);
        ASSERT_OK(found);
        EXPECT_OK(hub_->repositories().Delete(bob_, (*found)->repository));
      }
    }
  });
  const auto server = DataLock::Take(data(), DataLockKind::kRepositories, "bothy serve");
  const auto beside = OpenHub();
  for (int i = 0; i < 5; i++) {
    EXPECT_OK(Examine(*beside, {.repair = true}, [](const Finding& finding) {
      ADD_FAILURE() << finding.kind << " " << finding.subject << ": " << finding.message;
    }));
  }
  stop = true;
  pusher.join();
  EXPECT_EQ(KindsOf(Look()), Kinds());
}

TEST_P(DoctorTest, ItRepairsNothingBesideABackup) {
  const auto backup = DataLock::Take(data(), DataLockKind::kRemoval, "bothy backup");
  ASSERT_OK(backup);
  const auto none = [](const Finding&) {};
  EXPECT_OK(Examine(*hub_, {}, none));
  EXPECT_EQ(Examine(*hub_, {.repair = true}, none).error().code, ErrorCode::kUnavailable);
}

TEST_P(DoctorTest, ItCanBeGivenUp) {
  CommitLarge(ada_, Make(ada_, "demo"), "a.bin", bytes_);
  for (const std::string_view where : {"content", "repositories"}) {
    const auto diagnosis =
        Examine(*hub_, {.progress = [&](std::string_view what, uint64_t, uint64_t) { return what != where; }},
                [](const Finding& finding) { ADD_FAILURE() << finding.message; });
    ASSERT_FALSE(diagnosis);
    EXPECT_EQ(diagnosis.error().code, ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace bothy
