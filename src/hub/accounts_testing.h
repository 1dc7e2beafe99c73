// For tests of accounts: a database, a clock that stands until it is moved, and users with cheap passwords.
#pragma once

#include <optional>
#include <string>

#include "hub/accounts.h"
#include "hub/actor.h"
#include "hub/names.h"
#include "store/database/testing.h"

namespace bothy {

// With a row and no password: whoever has the Actor is logged in.
inline Actor AddUserRow(Database& database, const std::string& name) {
  const auto id = database.Write([&](Transaction& t) -> Result<int64_t> {
    const auto made = TRY(t.QueryOne<int64_t>(
        "INSERT INTO namespaces (name, key, kind, full_name, created_at) VALUES ($1, $2, 'user', $1, 0) RETURNING id",
        name, NameKey(name)));
    TRY(t.Execute("INSERT INTO users (id, password, administrator, disabled) VALUES ($1, '', FALSE, FALSE)", *made));
    return *made;
  });
  EXPECT_OK(id);
  return {.credential = Actor::Credential::kSession, .user_id = id.value_or(0), .name = name};
}

class AccountsTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped()) return;
    database_ = Open();
    ASSERT_NE(database_, nullptr);
    accounts_.emplace(*database_, clock(), AccountsOptions{.password_cost = kCheap});
  }

  Clock clock() {
    return [this] { return now_; };
  }

  // With the password "correct horse".
  int64_t AddUser(const std::string& name, bool administrator = false) {
    const auto created = accounts_->Create(
        {.name = name, .full_name = "", .email = {}, .password = "correct horse", .administrator = administrator},
        Cause::Operator());
    EXPECT_OK(created);
    return created ? created->user.id : 0;
  }

  // How often an event is in the audit log.
  size_t Events(AuditAction action) {
    const auto events = AuditLog(*database_).List({.action = action, .actor_id = {}, .target = {}, .before = {}});
    EXPECT_OK(events);
    return events ? events->size() : 0;
  }

  int64_t Count(const Statement& count) {
    const auto rows = database_->Read([&](Transaction& t) { return t.QueryOne<int64_t>(count); });
    EXPECT_OK(rows);
    return rows ? rows->value_or(-1) : -1;
  }

  static constexpr PasswordCost kCheap = {.passes = 1, .memory_bytes = 8192};  // the least that argon2id allows
  const Cause cause_{1, "root", "192.0.2.1"};
  Timestamp now_{std::chrono::seconds(1'800'000'000)};
  std::unique_ptr<Database> database_;
  std::optional<Accounts> accounts_;
};

}  // namespace bothy
