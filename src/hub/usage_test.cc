#include "hub/usage.h"

#include "base/testing.h"
#include "hub/hub_testing.h"
#include "hub/repository_large_files.h"

namespace bothy {
namespace {

class UsageTest : public HubTest {
 protected:
  Usage Of(const Repository& repository) {
    const auto usage = UsageOf(hub_->database(), repository);
    EXPECT_OK(usage);
    return usage.value_or(Usage());
  }
  NamespaceUsage OfOwner(std::string_view name) {
    const auto usage = UsageOfNamespace(hub_->database(), name);
    EXPECT_OK(usage);
    return usage.value_or(NamespaceUsage());
  }
  ErrorCode CodeOf(const Result<CommitOutcome>& outcome) { return outcome ? ErrorCode() : outcome.error().code; }
};
BOTHY_ON_BOTH_DATABASES(UsageTest);

TEST_P(UsageTest, LargeFilesCountOnceARepositoryAndOthersByTheirBytes) {
  const Repository repository = Make(ada_, "demo");
  const std::string sha256 = Send(ada_, RandomBytes(1000, 1));
  ASSERT_OK(TryCommit(
      ada_, repository,
      LargeLine("a.bin", sha256, 1000) + LargeLine("b.bin", sha256, 1000) + TextLine("c.txt", std::string(70, 'c'))));
  EXPECT_EQ(Of(repository), (Usage{.large_files = 1, .large_bytes = 1000, .git_bytes = 70}));
  ASSERT_OK(TryCommit(ada_, repository, LargeLine("again.bin", sha256, 1000)));
  EXPECT_EQ(Of(repository).large_bytes, 1000);

  const auto copy =
      hub_->repositories().Duplicate(ada_, repository, {.owner_id = ada_.user_id, .owner = "ada", .name = "copy"});
  ASSERT_OK(copy);
  EXPECT_EQ(Of(*copy), Of(repository));
  EXPECT_EQ(OfOwner("ADA").usage.bytes(), 2140);
  EXPECT_EQ(OfOwner("ada").repositories, 2);
  EXPECT_EQ(OfOwner("bob"), (NamespaceUsage{.name = "bob"}));

  ASSERT_OK(RemoveLargeFiles(hub_->repositories(), ada_, *copy, {.sha256s = {sha256}}));
  EXPECT_EQ(Of(*copy).large_files, 0);
  EXPECT_EQ(Of(*copy).large_bytes, 0);
  ASSERT_OK(hub_->repositories().Delete(ada_, *copy));
  EXPECT_EQ(OfOwner("ada").usage.bytes(), 1070);
}

TEST_P(UsageTest, WhatWouldGoOverTheQuotaIsRefusedAndLeavesNothing) {
  const Repository repository = Make(ada_, "demo");
  const std::string first = Send(ada_, RandomBytes(600, 1));
  const std::string second = Send(ada_, RandomBytes(500, 2));
  ASSERT_OK(SetQuota(hub_->database(), "ada", {.kind = Quota::Kind::kBytes, .bytes = 1000}));
  ASSERT_OK(TryCommit(ada_, repository, LargeLine("a.bin", first, 600)));
  const auto refused = TryCommit(ada_, repository, LargeLine("b.bin", second, 500));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(refused.error().message,
            "Storage limit reached: the repositories of ada take 600 B of 1.0 kB, and this would add 500 B. Delete "
            "repositories or large files that are not needed, or ask an administrator of this hub for more");
  EXPECT_EQ(Of(repository).bytes(), 600);
  EXPECT_FALSE(*RefersTo(hub_->database(), repository, second));

  // To the last byte, in other repositories of theirs, too.
  const Repository other = Make(ada_, "other");
  EXPECT_EQ(CodeOf(TryCommit(ada_, other, TextLine("b.txt", std::string(401, 'b')))), ErrorCode::kPermissionDenied);
  ASSERT_OK(TryCommit(ada_, other, TextLine("b.txt", std::string(400, 'b'))));
  EXPECT_EQ(CheckQuota(hub_->database(), ada_.user_id, 1).error().code, ErrorCode::kPermissionDenied);
  ASSERT_OK(CheckQuota(hub_->database(), ada_.user_id, 0));

  // What is there may be committed again, deleted and copied within the repository.
  ASSERT_OK(TryCommit(ada_, repository, LargeLine("again.bin", first, 600)));
  ASSERT_OK(TryCommit(ada_, repository,
                      R"({"key":"deletedFile","value":{"path":"a.bin"}})"
                      "\n"));
  EXPECT_FALSE(
      hub_->repositories().Duplicate(ada_, repository, {.owner_id = ada_.user_id, .owner = "ada", .name = "copy"}));
  EXPECT_EQ(OfOwner("ada").repositories, 2);
}

TEST_P(UsageTest, ARepositoryMovesOnlyWhereThereIsRoom) {
  const Repository repository = Make(ada_, "demo");
  ASSERT_OK(TryCommit(ada_, repository, LargeLine("a.bin", Send(ada_, RandomBytes(600, 1)), 600)));
  ASSERT_OK(SetQuota(hub_->database(), "bob", {.kind = Quota::Kind::kBytes, .bytes = 599}));
  const auto moved = hub_->repositories().Move(ada_, repository, bob_.user_id, "bob", "demo");
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, ErrorCode::kPermissionDenied);
  ASSERT_OK(SetQuota(hub_->database(), "bob", {.kind = Quota::Kind::kBytes, .bytes = 600}));
  ASSERT_OK(hub_->repositories().Move(ada_, repository, bob_.user_id, "bob", "demo"));
  EXPECT_EQ(OfOwner("bob").usage.large_bytes, 600);
  EXPECT_EQ(OfOwner("ada").usage.large_bytes, 0);
}

TEST_P(UsageTest, WithoutAQuotaOfTheirOwnAllHaveTheDefault) {
  EXPECT_EQ(OfOwner("ada").quota, std::nullopt);
  ASSERT_OK(SetDefaultQuota(hub_->database(), 5000));
  EXPECT_EQ(OfOwner("ada").quota, 5000);
  ASSERT_OK(SetQuota(hub_->database(), "ada", {.kind = Quota::Kind::kUnlimited}));
  EXPECT_EQ(OfOwner("ada").quota, std::nullopt);
  EXPECT_EQ(OfOwner("bob").quota, 5000);
  ASSERT_OK(SetQuota(hub_->database(), "ada", {.kind = Quota::Kind::kBytes, .bytes = 7}));
  EXPECT_EQ(OfOwner("ada").quota, 7);
  ASSERT_OK(SetQuota(hub_->database(), "ada", {}));
  EXPECT_EQ(OfOwner("ada").quota, 5000);
  ASSERT_OK(SetDefaultQuota(hub_->database(), std::nullopt));
  EXPECT_EQ(OfOwner("ada").quota, std::nullopt);
  EXPECT_EQ(SetQuota(hub_->database(), "nobody", {}).error().code, ErrorCode::kNotFound);

  std::vector<std::string> names;
  ASSERT_OK(ForEachNamespaceUsage(hub_->database(), [&](const NamespaceUsage& one) -> Result<void> {
    names.push_back(one.name);
    return {};
  }));
  EXPECT_EQ(names, (std::vector<std::string>{"ada", "bob"}));
}

TEST_P(UsageTest, BytesOfNewFilesNeverOverflow) {
  const Repository repository = Make(ada_, "demo");
  const std::vector<ReferredFile> files = {{.sha256 = std::string(64, 'a'), .size = UINT64_MAX, .path = {}, .ref = {}},
                                           {.sha256 = std::string(64, 'b'), .size = UINT64_MAX, .path = {}, .ref = {}}};
  EXPECT_EQ(*BytesOfNew(hub_->database(), repository, files), INT64_MAX);
}

}  // namespace
}  // namespace bothy
