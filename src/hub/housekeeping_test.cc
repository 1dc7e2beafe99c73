#include "hub/housekeeping.h"

#include "base/testing.h"
#include "hub/hub_testing.h"

namespace bothy {
namespace {

using HousekeepingTest = HubTest;
BOTHY_ON_BOTH_DATABASES(HousekeepingTest);

TEST_P(HousekeepingTest, OnlyOldContentThatNoRepositoryRefersToIsRemoved) {
  const Repository repository = Make(ada_, "demo");
  const std::string kept = RandomBytes(100'000, 1);
  CommitLarge(ada_, repository, "model.bin", kept);
  Send(ada_, RandomBytes(200'000, 2));
  Wait(kKeepUnreferred - std::chrono::hours(1));
  const std::string young = Send(ada_, RandomBytes(300'000, 3));
  auto collected = CollectContent(*hub_);
  ASSERT_OK(collected);
  EXPECT_EQ(collected->files, 0u);

  Wait(std::chrono::hours(3));
  collected = CollectContent(*hub_);
  ASSERT_OK(collected);
  EXPECT_EQ(collected->files, 1u);
  EXPECT_EQ(collected->bytes, 200'000u);
  EXPECT_EQ(Download(repository, "model.bin"), kept);
  EXPECT_TRUE(*hub_->content().SentBy(ada_.user_id, *ParseSha256(young)));

  ASSERT_OK(hub_->repositories().Delete(ada_, repository));
  Wait(kKeepUnreferred + std::chrono::hours(2));
  collected = CollectContent(*hub_);
  ASSERT_OK(collected);
  EXPECT_EQ(collected->files, 2u);
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
  const auto collected = CollectContent(*hub_);
  ASSERT_OK(collected);
  EXPECT_EQ(collected->files, 0u);
  EXPECT_EQ(Download(repository, "model.bin"), kept);
}

}  // namespace
}  // namespace bothy
