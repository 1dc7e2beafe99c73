#include "hub/audit_log.h"

#include <gtest/gtest.h>

#include <set>

#include "hub/accounts_testing.h"

namespace bothy {
namespace {

class AuditLogTest : public AccountsTest {
 protected:
  void Add(AuditAction action, std::string_view target, const Cause& cause) {
    EXPECT_OK(database_->Write([&](Transaction& t) { return Record(t, now_, cause, action, target, "detail"); }));
    now_ += std::chrono::seconds(1);
  }

  std::vector<std::string> Targets(const AuditFilter& filter) {
    const auto events = AuditLog(*database_).List(filter);
    EXPECT_OK(events);
    std::vector<std::string> targets;
    for (const AuditEvent& event : events ? *events : std::vector<AuditEvent>()) targets.push_back(event.target);
    return targets;
  }
};

BOTHY_ON_BOTH_DATABASES(AuditLogTest);

using Names = std::vector<std::string>;

TEST_P(AuditLogTest, KeepsWhatHappenedAndWhoDidItFromWhere) {
  const Timestamp then = now_;
  Add(AuditAction::kTokenCreated, "laptop", cause_);
  const auto events = AuditLog(*database_).List({});
  ASSERT_OK(events);
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ(events->front(), (AuditEvent{events->front().id, then, "token.create", cause_, "laptop", "detail"}));
}

TEST_P(AuditLogTest, ListsByActionActorAndTargetTheNewestFirst) {
  const Cause ada = {10, "ada", ""};
  Add(AuditAction::kLogin, "one", ada);
  Add(AuditAction::kLogin, "two", cause_);
  Add(AuditAction::kUserCreated, "three", ada);
  EXPECT_EQ(Targets({}), (Names{"three", "two", "one"}));
  EXPECT_EQ(Targets({.action = AuditAction::kLogin, .actor_id = {}, .target = {}, .before = {}}),
            (Names{"two", "one"}));
  EXPECT_EQ(Targets({.action = {}, .actor_id = 10, .target = {}, .before = {}}), (Names{"three", "one"}));
  EXPECT_EQ(Targets({.action = {}, .actor_id = {}, .target = "two", .before = {}}), (Names{"two"}));
}

TEST_P(AuditLogTest, ListsPageByPage) {
  for (const char* target : {"one", "two", "three"}) Add(AuditAction::kLogin, target, cause_);
  const auto first = AuditLog(*database_).List({.action = {}, .actor_id = {}, .target = {}, .before = {}, .limit = 2});
  ASSERT_OK(first);
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ(Targets({.action = {}, .actor_id = {}, .target = {}, .before = first->back().id}), (Names{"one"}));
}

TEST_P(AuditLogTest, ForgetsWhatIsOlder) {
  Add(AuditAction::kLogin, "one", cause_);
  const Timestamp then = now_;
  Add(AuditAction::kLogin, "two", cause_);
  EXPECT_EQ(AuditLog(*database_).RemoveBefore(then), 1);
  EXPECT_EQ(Targets({}), (Names{"two"}));
}

TEST(AuditActions, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(AuditAction::kAccessDecided); i++) {
    const auto action = static_cast<AuditAction>(i);
    names.insert(AuditActionName(action));
    EXPECT_EQ(FindAuditAction(AuditActionName(action)), action);
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(AuditAction::kAccessDecided) + 1);
  EXPECT_EQ(FindAuditAction("coffee.make"), std::nullopt);
}

}  // namespace
}  // namespace bothy
