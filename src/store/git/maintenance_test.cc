#include "store/git/maintenance.h"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "store/git/git_testing.h"
#include "store/git/tree.h"

namespace bothy::git {
namespace {

using Maintenance = GitTest;

constexpr auto kTimeout = std::chrono::minutes(2);

TEST_F(Maintenance, RepackingKeepsEverythingInOnePack) {
  for (int i = 0; i < 5; i++) Commit({{fmt::format("f{}", i), std::to_string(i)}});
  const std::string unreachable = Git({"hash-object", "-w", "--stdin"}, "nobody's");
  EXPECT_GT(Measure(*repository_)->loose_objects, 10u);
  ASSERT_OK(Repack(*repository_, RepackKind::kFull, kTimeout));
  ASSERT_OK(Repack(*repository_, RepackKind::kFull,
                   kTimeout));  // the first leaves the unreachable where it was, as there was no pack
  const auto statistics = Measure(*repository_);
  EXPECT_EQ(statistics->packs, 1u);
  EXPECT_EQ(statistics->loose_objects, 0u);
  EXPECT_EQ(Git({"cat-file", "-p", unreachable}), "nobody's");
  EXPECT_EQ(Git({"commit-graph", "verify"}), "");
  EXPECT_EQ(Lines(Git({"ls-tree", "main"})).size(), 5u);
  Commit({{"more", "1"}});
  ExpectSound();
}

TEST_F(Maintenance, SmallPacksBecomeFewAndKeepEverything) {
  for (int i = 0; i < 20; i++) {
    std::map<std::string, std::optional<std::string>> files;
    for (int f = 0; f < 8; f++) files[fmt::format("d{}/f{}", i, f)] = fmt::format("{} {}", i, f);
    Commit(files);
  }
  const std::string unreachable = Git({"hash-object", "-w", "--stdin"}, "nobody's");
  EXPECT_EQ(Measure(*repository_)->packs, 20u);
  const std::string objects = Git({"cat-file", "--batch-all-objects", "--batch-check"});
  ASSERT_OK(Repack(*repository_, RepackKind::kSmall, kTimeout));
  EXPECT_LE(Measure(*repository_)->packs, 2u);
  EXPECT_EQ(Git({"cat-file", "--batch-all-objects", "--batch-check"}), objects);
  ExpectSound();
}

TEST_F(Maintenance, DroppingTakesOnlyWhatNoRefLeadsTo) {
  Commit({{"a", "1"}});
  const Oid gone = Commit({{"b", "2"}}, "refs/heads/side");
  ASSERT_OK(Resolve(*repository_, gone.ToHex()));
  ASSERT_OK(DeleteBranch(*repository_, "side"));
  ASSERT_OK(DropUnreachable(*repository_, std::chrono::hours(1), kTimeout));
  EXPECT_OK(Resolve(*repository_, gone.ToHex()));  // too young
  ASSERT_OK(DropUnreachable(*repository_, std::chrono::seconds(0), kTimeout));
  EXPECT_FALSE(Resolve(*repository_, gone.ToHex()));
  EXPECT_EQ(Git({"show", "main:a"}), "1");
  // What was dropped is written again where it is needed again, though this process had seen it.
  Commit({{"b", "2"}});
  EXPECT_EQ(Git({"show", "main:b"}), "2");
  ExpectSound();
}

TEST_F(Maintenance, WritersAndReadersGoOnWhileItRepacks) {
  Commit({{"start", "1"}});
  std::atomic<bool> stop = false;
  std::atomic<int> failures = 0;
  std::thread reader([&] {
    while (!stop) {
      const auto head = Resolve(*repository_, "main");
      if (!head || !ListTree(*repository_, *head, {.recursive = true})) failures++;
    }
  });
  std::thread packer([&] {
    for (int i = 0; !stop; i++) {
      if (!Repack(*repository_, i % 3 == 2 ? RepackKind::kFull : RepackKind::kSmall, kTimeout)) failures++;
    }
  });
  for (int i = 0; i < 25; i++) Commit({{fmt::format("d{}/f{}", i % 3, i), std::to_string(i)}});
  stop = true;
  reader.join();
  packer.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(Git({"rev-list", "--count", "main"}), "26");
  ExpectSound();
}

TEST_F(Maintenance, TimeIsLimited) {
  Commit({{"a", "1"}});
  EXPECT_EQ(Repack(*repository_, RepackKind::kFull, std::chrono::milliseconds(1)).error().code,
            ErrorCode::kResourceExhausted);
}

TEST_F(Maintenance, CheckingFindsWhatIsBroken) {
  Commit({{"a", "1"}});
  for (const auto check : {ObjectCheck::kThere, ObjectCheck::kSound}) {
    EXPECT_OK(CheckObjects(*repository_, check, kTimeout));
  }
  const std::string blob = Git({"rev-parse", "main:a"});
  const auto file = repository_->path() / "objects" / blob.substr(0, 2) / blob.substr(2);
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  std::ofstream(file) << "not what it was";
  EXPECT_OK(CheckObjects(*repository_, ObjectCheck::kThere, kTimeout));
  EXPECT_EQ(CheckObjects(*repository_, ObjectCheck::kSound, kTimeout).error().code, ErrorCode::kCorrupt);
  std::filesystem::remove(file);
  for (const auto check : {ObjectCheck::kThere, ObjectCheck::kSound}) {
    const auto checked = CheckObjects(*repository_, check, kTimeout);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(checked.error().message, testing::HasSubstr("missing blob " + blob));
    EXPECT_EQ(checked.error().message.find('\n'), std::string::npos);
  }
}

TEST_F(Maintenance, ARepositoryWithoutACommitIsSound) {
  EXPECT_OK(CheckObjects(*repository_, ObjectCheck::kThere, kTimeout));
  EXPECT_OK(CheckObjects(*repository_, ObjectCheck::kSound, kTimeout));
}

}  // namespace
}  // namespace bothy::git
