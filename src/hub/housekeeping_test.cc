#include "hub/housekeeping.h"

#include <fstream>

#include "base/testing.h"
#include "hub/data_lock.h"
#include "hub/hub_testing.h"
#include "hub/repository_content.h"
#include "hub/usage.h"
#include "store/git/maintenance.h"

namespace bothy {
namespace {

class HousekeepingTest : public HubTest {
 protected:
  Housekept Keep() {
    auto kept = KeepHouse(*hub_, {.repositories = true});
    EXPECT_OK(kept);
    return kept.value_or(Housekept());
  }
  content::Collected Collect() { return Keep().content; }

  // As if everything had come into the repository long ago, which git knows from its files.
  void Age(const Repository& repository) {
    for (const auto& file : std::filesystem::recursive_directory_iterator(PathOf(repository) / "objects")) {
      if (!file.is_regular_file()) continue;
      std::filesystem::last_write_time(file.path(), file.last_write_time() - kKeepUnreachable - std::chrono::days(1));
    }
  }
};
BOTHY_ON_BOTH_DATABASES(HousekeepingTest);

TEST_P(HousekeepingTest, OnlyOldContentThatNoRepositoryRefersToIsRemoved) {
  const Repository repository = Make(ada_, "demo");
  const std::string kept = RandomBytes(100'000, 1);
  CommitLarge(ada_, repository, "model.bin", kept);
  Send(ada_, RandomBytes(200'000, 2));
  Wait(kKeepUnreferred - std::chrono::hours(1));
  const std::string young = Send(ada_, RandomBytes(300'000, 3));
  auto collected = Collect();
  EXPECT_EQ(collected.files, 0u);

  Wait(std::chrono::hours(3));
  collected = Collect();
  EXPECT_EQ(collected.files, 1u);
  EXPECT_EQ(collected.bytes, 200'000u);
  EXPECT_EQ(Download(repository, "model.bin"), kept);
  EXPECT_TRUE(*hub_->content().SentBy(ada_.user_id, *ParseSha256(young)));

  ASSERT_OK(hub_->repositories().Delete(ada_, repository));
  Wait(kKeepUnreferred + std::chrono::hours(2));
  collected = Collect();
  EXPECT_EQ(collected.files, 2u);
}

TEST_P(HousekeepingTest, WhatIsReferredToBehindTheFirstThousandsOfRowsStays) {
  const Repository repository = Make(ada_, "demo");
  const std::string kept = RandomBytes(1000, 1);
  CommitLarge(ada_, repository, "model.bin", kept);
  // Before it in the order of their names, and more than are read at once.
  ASSERT_OK(hub_->database().Write([&](Transaction& t) -> Result<void> {
    for (int i = 0; i < 10'000; i++) {
      TRY(
          t.Execute("INSERT INTO repository_content (repository_id, sha256, size, path, ref, added_at)"
                    " VALUES ($1, $2, 1, 'a', '', 0)",
                    repository.id, fmt::format("{:064x}", i)));
    }
    return {};
  }));
  Wait(kKeepUnreferred + std::chrono::hours(2));
  const auto collected = Collect();
  EXPECT_EQ(collected.files, 0u);
  EXPECT_EQ(Download(repository, "model.bin"), kept);
}

TEST_P(HousekeepingTest, OneAtATimeAndNotBesideABackup) {
  const auto lock = DataLock::Take(data(), DataLockKind::kRemoval, "bothy backup");
  ASSERT_OK(lock);
  const auto kept = KeepHouse(*hub_, {});
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(kept.error().message.find("bothy backup"), std::string::npos) << kept.error().message;
}

TEST_P(HousekeepingTest, WhoGivesUpLosesNothing) {
  const Repository repository = Make(ada_, "demo");
  const std::string bytes = RandomBytes(1000, 1);
  CommitLarge(ada_, repository, "model.bin", bytes);
  Send(ada_, RandomBytes(2000, 2));
  Wait(kKeepUnreferred + std::chrono::hours(2));
  for (int calls = 0;; calls++) {  // at every place where it asks
    int left = calls;
    bool asked = false;
    const auto kept = KeepHouse(*hub_, {.repositories = true, .progress = [&](std::string_view, uint64_t, uint64_t) {
                                          asked = left == 0;
                                          return left-- > 0;
                                        }});
    EXPECT_EQ(Download(repository, "model.bin"), bytes);
    if (kept) break;
    EXPECT_TRUE(asked);
    EXPECT_EQ(kept.error().code, ErrorCode::kCancelled);
  }
  EXPECT_EQ(Count("SELECT COUNT(*) FROM content_files"), 1);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM content_collections"), 0);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM content_marks"), 0);
}

TEST_P(HousekeepingTest, LoginsThatHaveEndedAreForgotten) {
  ASSERT_OK(hub_->sessions().Begin(ada_.user_id));
  ASSERT_OK(hub_->device_logins().Begin("client", "scope"));
  Keep();
  EXPECT_EQ(Count("SELECT COUNT(*) FROM sessions"), 1);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM device_codes"), 1);
  Wait(std::chrono::days(400));
  Keep();
  EXPECT_EQ(Count("SELECT COUNT(*) FROM sessions"), 0);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM device_codes"), 0);
}

TEST_P(HousekeepingTest, ADeletedBranchIsDroppedWithItsContentWhenItsTimeHasCome) {
  const Repository repository = Make(ada_, "demo");
  const std::string kept = RandomBytes(1000, 1);
  CommitLarge(ada_, repository, "model.bin", kept);
  ASSERT_OK(git::CreateBranch(*Git(repository), "other", *git::Resolve(*Git(repository), "main")));
  const std::string gone = Send(ada_, RandomBytes(2000, 2));
  const auto commit = TryCommit(ada_, repository, LargeLine("other.bin", gone, 2000), "other");
  ASSERT_OK(commit);
  EXPECT_EQ(Keep().repositories->dropped_from, 0u);
  EXPECT_EQ(UsageOf(hub_->database(), repository)->large_bytes, 3000);
  EXPECT_EQ(UsageOf(hub_->database(), repository)->git_bytes,
            static_cast<int64_t>(git::Measure(*Git(repository))->bytes));

  ASSERT_OK(git::DeleteRef(*Git(repository), "refs/heads/other"));
  EXPECT_EQ(Keep().repositories->dropped_from, 0u);
  Age(repository);
  EXPECT_EQ(Keep().repositories->dropped_from, 0u);  // its time begins when it is seen
  EXPECT_TRUE(*RefersTo(hub_->database(), repository, gone));
  Wait(kKeepUnreachable + std::chrono::hours(1));
  EXPECT_EQ(Keep().repositories->dropped_from, 1u);
  EXPECT_FALSE(*RefersTo(hub_->database(), repository, gone));
  EXPECT_FALSE(git::Resolve(*Git(repository), commit->commit.ToHex()));
  EXPECT_EQ(UsageOf(hub_->database(), repository)->large_bytes, 1000);
  EXPECT_EQ(Download(repository, "model.bin"), kept);
  EXPECT_EQ(Keep().repositories->dropped_from, 0u);
}

TEST_P(HousekeepingTest, BytesThatWereCountedForNothingAreCountedNoMore) {
  const Repository repository = Make(ada_, "demo");
  CommitText(ada_, repository, "a.txt", std::string(5000, 'a'));
  Keep();
  const auto there = static_cast<int64_t>(git::Measure(*Git(repository))->bytes);
  CommitText(ada_, repository, "a.txt", std::string(5000, 'a'));  // which changes nothing
  EXPECT_EQ(UsageOf(hub_->database(), repository)->git_bytes, there + 5000);
  Keep();
  EXPECT_EQ(UsageOf(hub_->database(), repository)->git_bytes,
            static_cast<int64_t>(git::Measure(*Git(repository))->bytes));
}

TEST_P(HousekeepingTest, WhatGitCannotReadIsMeasuredAndTriedAgain) {
  const Repository repository = Make(ada_, "demo");
  const std::filesystem::path head = PathOf(repository) / "refs/heads/main";
  const std::filesystem::path away = data() / "main";
  CommitText(ada_, repository, "a.txt", "a");
  std::filesystem::copy_file(head, away);
  std::ofstream(head, std::ios::trunc) << std::string(40, '1') << "\n";  // a commit that is not there
  for (int i = 0; i < 2; i++) EXPECT_EQ(Keep().repositories->failed, 1u);
  EXPECT_EQ(UsageOf(hub_->database(), repository)->git_bytes,
            static_cast<int64_t>(git::Measure(*Git(repository))->bytes));
  std::filesystem::copy_file(away, head, std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(Keep().repositories->failed, 0u);
}

TEST_P(HousekeepingTest, ManyPacksBecomeFew) {
  const Repository repository = Make(ada_, "demo");
  for (uint64_t i = 0; i <= git::kManyLooseObjects / 3; i++) {
    CommitText(ada_, repository, fmt::format("{}.txt", i), fmt::format("text {}", i));
  }
  EXPECT_EQ(Keep().repositories->packed, 1u);
  EXPECT_FALSE(git::NeedsRepack(*git::Measure(*Git(repository))));
  EXPECT_EQ(Download(repository, "7.txt"), "text 7");
  EXPECT_EQ(Keep().repositories->packed, 0u);
}

}  // namespace
}  // namespace bothy
