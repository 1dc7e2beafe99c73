#include "hub/git_transport.h"

#include "hub/repositories_testing.h"
#include "store/git/commits.h"
#include "store/git/git_process.h"

namespace bothy {
namespace {

class GitTransportTest : public RepositoriesTest {
 protected:
  void SetUp() override {
    RepositoriesTest::SetUp();
    if (IsSkipped()) return;
    from_ = Make(ada_, "from");
    to_ = Make(ada_, "to");
  }

  // What `git push` would send of the first repository's branch.
  std::string Pack() {
    std::string pack;
    const auto process = git::StartGit(*Git(from_), {"pack-objects", "--revs", "--stdout", "-q"});
    EXPECT_OK(process);
    std::string_view input = "refs/heads/main\n";
    EXPECT_OK((*process)->Exchange([&]() -> Result<std::string_view> { return std::exchange(input, {}); },
                                   [&](std::string_view text) -> Result<void> {
                                     pack += text;
                                     return {};
                                   }));
    return pack;
  }

  // Of the second.
  size_t Leftovers() {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Git(to_)->path() / "objects")) {
      if (entry.path().filename().string().starts_with("tmp_")) count++;
    }
    return count;
  }

  Repository from_, to_;
};
BOTHY_ON_BOTH_DATABASES(GitTransportTest);

TEST_P(GitTransportTest, WhatAPackBringsIsThereAndNothingLeadsToIt) {
  ASSERT_FALSE(git::ReadCommit(*Git(to_), Head(from_)));
  auto receiver = PackReceiver::Begin(*Git(to_));
  ASSERT_OK(receiver);
  const std::string pack = Pack();
  for (const char& byte : pack) ASSERT_OK((*receiver)->Write({&byte, 1}));
  EXPECT_EQ(Leftovers(), 2u);  // the quarantine, and git's file in it
  ASSERT_OK((*receiver)->Finish());
  EXPECT_OK(git::ReadCommit(*Git(to_), Head(from_)));
  const auto refs = ListPushableRefs(*Git(to_));
  ASSERT_OK(refs);
  ASSERT_EQ(refs->size(), 1u);
  EXPECT_EQ((*refs)[0].name, "refs/heads/main");
  EXPECT_EQ((*refs)[0].oid, Head(to_));
  receiver->reset();
  EXPECT_EQ(Leftovers(), 0u);
}

TEST_P(GitTransportTest, TheSamePackCanComeAgain) {
  for (int i = 0; i < 2; i++) {
    auto receiver = PackReceiver::Begin(*Git(to_));
    ASSERT_OK(receiver);
    ASSERT_OK((*receiver)->Write(Pack()));
    EXPECT_OK((*receiver)->Finish());
  }
}

TEST_P(GitTransportTest, APackThatIsBrokenOrTooLargeLeavesNothing) {
  const std::string pack = Pack();
  std::string damaged = pack;
  damaged[pack.size() / 2] ^= 1;
  for (const std::string& wrong :
       {std::string(), pack.substr(0, pack.size() - 1), damaged, std::string(1 << 20, 'x')}) {
    auto receiver = PackReceiver::Begin(*Git(to_));
    ASSERT_OK(receiver);
    ASSERT_OK((*receiver)->Write(wrong));
    ASSERT_OK((*receiver)->Write(wrong));
    const auto finished = (*receiver)->Finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(finished.error().message.empty());
  }
  for (const auto& [limit, taken] : {std::pair(pack.size(), true), std::pair(pack.size() - 1, false)}) {
    auto receiver = PackReceiver::Begin(*Git(to_), limit);
    ASSERT_OK(receiver);
    ASSERT_OK((*receiver)->Write(pack));
    EXPECT_EQ((*receiver)->Finish().has_value(), taken);
  }
  EXPECT_EQ(Leftovers(), 0u);
}

TEST_P(GitTransportTest, NothingIsDroppedWhileAPackComes) {
  auto receiver = PackReceiver::Begin(*Git(to_));
  ASSERT_OK(receiver);
  EXPECT_EQ(git::DropGuard::Take(*Git(to_)).error().code, ErrorCode::kUnavailable);
  receiver->reset();
  EXPECT_OK(git::DropGuard::Take(*Git(to_)));
}

TEST_P(GitTransportTest, AllRefsMoveOrNone) {
  const auto head = Head(to_);
  const std::vector<RefUpdate> wrong = {{"refs/heads/a", std::nullopt, head}, {"refs/heads/main", std::nullopt, head}};
  const auto refused = ApplyPushTogether(*repositories_, ada_, to_, wrong, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(ListPushableRefs(*Git(to_))->size(), 1u);
  ASSERT_OK(ApplyPushTogether(*repositories_, ada_, to_, std::span(wrong).first(1), {}));
  const std::vector<RefUpdate> right = {{"refs/heads/a", head, std::nullopt}, {"refs/tags/b", std::nullopt, head}};
  ASSERT_OK(ApplyPushTogether(*repositories_, ada_, to_, right, {}));
  const auto refs = ListPushableRefs(*Git(to_));
  ASSERT_EQ(refs->size(), 2u);
  EXPECT_EQ((*refs)[1].name, "refs/tags/b");
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repository_events WHERE action = 'push'"), 3);
}

}  // namespace
}  // namespace bothy
