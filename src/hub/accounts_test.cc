#include "hub/accounts.h"

#include <gtest/gtest.h>

#include "hub/accounts_testing.h"
#include "hub/namespaces.h"
#include "hub/organizations.h"
#include "hub/sessions.h"

namespace bothy {
namespace {

BOTHY_ON_BOTH_DATABASES(AccountsTest);

TEST_P(AccountsTest, AUserIsFoundWhateverTheCase) {
  const auto created = accounts_->Create({.name = "Ada",
                                          .full_name = "Ada Lovelace",
                                          .email = "ada@example.org",
                                          .password = "correct horse",
                                          .administrator = true},
                                         cause_);
  ASSERT_OK(created);
  EXPECT_EQ(created->password, "");
  const User expected = {.id = created->user.id,
                         .name = "Ada",
                         .full_name = "Ada Lovelace",
                         .email = "ada@example.org",
                         .administrator = true,
                         .disabled = false,
                         .created_at = now_};
  EXPECT_EQ(created->user, expected);
  for (const char* name : {"Ada", "ada", "ADA"}) {
    const auto found = accounts_->Find(name);
    ASSERT_OK(found);
    EXPECT_EQ(*found, expected);
  }
  EXPECT_EQ(accounts_->Find(created->user.id), expected);
  EXPECT_EQ(accounts_->Find("bob").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Events(AuditAction::kUserCreated), 1u);
}

TEST_P(AccountsTest, NamesAreTakenWhateverTheCaseAndByOrganizationsToo) {
  AddUser("ada");
  ASSERT_OK(Organizations(*database_, clock()).Create({.name = "Lab", .full_name = "", .members = {}}, cause_));
  for (const char* name : {"ada", "ADA", "lab"}) {
    const auto created = accounts_->Create({.name = name, .full_name = "", .email = {}, .password = {}}, cause_);
    ASSERT_FALSE(created) << name;
    EXPECT_EQ(created.error().code, ErrorCode::kAlreadyExists);
  }
}

TEST_P(AccountsTest, WhatBreaksARuleIsRefused) {
  const NewUser good = {.name = "ada", .full_name = "", .email = "a@b", .password = "12345678"};
  const auto refused = [&](auto change) {
    NewUser user = good;
    change(user);
    const auto created = accounts_->Create(user, cause_);
    return !created && created.error().code == ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](NewUser& user) { user.name = "datasets"; }));
  EXPECT_TRUE(refused([](NewUser& user) { user.name = "a--b"; }));
  EXPECT_TRUE(refused([](NewUser& user) { user.password = "1234567"; }));
  EXPECT_TRUE(refused([](NewUser& user) { user.password = std::string(kMaxPasswordBytes + 1, 'a'); }));
  EXPECT_TRUE(refused([](NewUser& user) { user.full_name = std::string(kMaxFullNameBytes + 1, 'a'); }));
  EXPECT_TRUE(refused([](NewUser& user) { user.full_name = "a\nb"; }));
  EXPECT_TRUE(refused([](NewUser& user) { user.full_name = "\xff"; }));
  for (const char* email : {"", "a", "@b", "a@", "a b@c", "a@b\n"}) {
    EXPECT_TRUE(refused([&](NewUser& user) { user.email = email; })) << email;
  }
  EXPECT_TRUE(refused([](NewUser& user) { user.email = "a@" + std::string(kMaxEmailBytes - 1, 'b'); }));
  EXPECT_EQ(accounts_->Find("ada").error().code, ErrorCode::kNotFound);

  NewUser longest = good;
  longest.full_name = std::string(kMaxFullNameBytes, 'a');
  longest.email = "a@" + std::string(kMaxEmailBytes - 2, 'b');
  EXPECT_OK(accounts_->Create(longest, cause_));
}

TEST_P(AccountsTest, AGeneratedPasswordLogsIn) {
  const auto created = accounts_->Create({.name = "ada", .full_name = "", .email = {}, .password = {}}, cause_);
  ASSERT_OK(created);
  EXPECT_EQ(created->password.size(), kGeneratedPasswordLength);
  EXPECT_OK(accounts_->LogIn("ada", created->password, "192.0.2.1"));
}

TEST_P(AccountsTest, PasswordsAreStoredAsArgon2id) {
  const int64_t id = AddUser("ada");
  const auto stored = database_->Read(
      [&](Transaction& t) { return t.QueryOne<std::string>("SELECT password FROM users WHERE id = $1", id); });
  ASSERT_OK(stored);
  EXPECT_TRUE(stored->value_or("").starts_with("$argon2id$v=19$"));
}

TEST_P(AccountsTest, AWrongPasswordAndAWrongNameAreRefusedInTheSameWords) {
  AddUser("ada");
  EXPECT_OK(accounts_->LogIn("ADA", "correct horse", "192.0.2.1"));
  const auto password = accounts_->LogIn("ada", "wrong horse", "192.0.2.1");
  const auto name = accounts_->LogIn("eve", "correct horse", "192.0.2.1");
  ASSERT_FALSE(password);
  ASSERT_FALSE(name);
  EXPECT_EQ(password.error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(name.error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(password.error().message, name.error().message);
  EXPECT_EQ(Events(AuditAction::kLogin), 1u);
  EXPECT_EQ(Events(AuditAction::kLoginFailed), 2u);
}

TEST_P(AccountsTest, TheLogHoldsNoNameThatIsNoUsers) {
  EXPECT_FALSE(accounts_->LogIn("my secret password", "ada", "192.0.2.1"));
  const auto events = AuditLog(*database_).List({});
  ASSERT_OK(events);
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ(events->front().target + events->front().detail + events->front().cause.actor, "");
  EXPECT_EQ(events->front().cause.address, "192.0.2.1");
}

TEST_P(AccountsTest, FiftyFailuresLockANameUntilTheNextQuarterOfAnHour) {
  AddUser("ada");
  AddUser("bob");
  for (int64_t i = 0; i < kMaxFailedLogins; i++) {
    const auto failed = accounts_->LogIn("ada", "wrong horse", fmt::format("192.0.2.{}", i));
    ASSERT_EQ(failed.error().code, ErrorCode::kUnauthenticated);
  }
  const auto locked = accounts_->LogIn("Ada", "correct horse", "198.51.100.1");
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().code, ErrorCode::kResourceExhausted);
  EXPECT_OK(accounts_->LogIn("bob", "correct horse", "198.51.100.1"));
  now_ += kFailedLoginWindow;
  EXPECT_OK(accounts_->LogIn("ada", "correct horse", "198.51.100.1"));
}

TEST_P(AccountsTest, FiftyFailuresLockAnAddressWhateverTheNames) {
  AddUser("ada");
  for (int64_t i = 0; i < kMaxFailedLogins; i++) {
    EXPECT_FALSE(accounts_->LogIn(fmt::format("user{}", i), "correct horse", "192.0.2.1"));
  }
  EXPECT_EQ(accounts_->LogIn("ada", "correct horse", "192.0.2.1").error().code, ErrorCode::kResourceExhausted);
  EXPECT_OK(accounts_->LogIn("ada", "correct horse", "192.0.2.2"));
}

TEST_P(AccountsTest, SuccessesDoNotLockANameOrAnAddress) {
  AddUser("ada");
  for (int64_t i = 0; i <= kMaxFailedLogins; i++) ASSERT_OK(accounts_->LogIn("ada", "correct horse", "192.0.2.1"));
}

TEST_P(AccountsTest, APasswordIsChangedByWhoKnowsItAndEndsAllSessions) {
  const int64_t ada = AddUser("ada"), bob = AddUser("bob");
  Sessions sessions(*database_, clock());
  const auto first = sessions.Begin(ada), second = sessions.Begin(ada), other = sessions.Begin(bob);
  EXPECT_EQ(accounts_->ChangePassword(ada, "wrong horse", "battery staple", cause_).error().code,
            ErrorCode::kUnauthenticated);
  EXPECT_EQ(accounts_->ChangePassword(ada, "correct horse", "short", cause_).error().code, ErrorCode::kInvalidArgument);
  EXPECT_OK(sessions.Authenticate(*first));
  ASSERT_OK(accounts_->ChangePassword(ada, "correct horse", "battery staple", cause_));
  EXPECT_FALSE(sessions.Authenticate(*first));
  EXPECT_FALSE(sessions.Authenticate(*second));
  EXPECT_OK(sessions.Authenticate(*other));
  EXPECT_FALSE(accounts_->LogIn("ada", "correct horse", ""));
  EXPECT_OK(accounts_->LogIn("ada", "battery staple", ""));
  ASSERT_OK(accounts_->SetPassword(ada, "tr0ub4dor&3", cause_));
  EXPECT_OK(accounts_->LogIn("ada", "tr0ub4dor&3", ""));
  EXPECT_EQ(Events(AuditAction::kPasswordChanged), 2u);
}

TEST_P(AccountsTest, APasswordIsHashedAnewWhereItsCostIsOld) {
  const int64_t ada = AddUser("ada");
  const auto cost = [&] {
    const auto stored = database_->Read(
        [&](Transaction& t) { return t.QueryOne<std::string>("SELECT password FROM users WHERE id = $1", ada); });
    return stored && *stored ? (*stored)->substr(0, 25) : "";
  };
  EXPECT_EQ(cost(), "$argon2id$v=19$m=8,t=1,p=");
  Accounts dearer(*database_, clock(), {.password_cost = {.passes = 2, .memory_bytes = 16384}});
  ASSERT_OK(dearer.LogIn("ada", "correct horse", ""));
  EXPECT_EQ(cost(), "$argon2id$v=19$m=16,t=2,p");
  EXPECT_OK(dearer.LogIn("ada", "correct horse", ""));
}

TEST_P(AccountsTest, ADisabledUserCannotLogIn) {
  const int64_t ada = AddUser("ada");
  ASSERT_OK(accounts_->SetDisabled(ada, true, cause_));
  EXPECT_EQ(accounts_->LogIn("ada", "correct horse", "").error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(accounts_->LogIn("ada", "wrong horse", "").error().code, ErrorCode::kUnauthenticated);
  ASSERT_OK(accounts_->SetDisabled(ada, false, cause_));
  EXPECT_OK(accounts_->LogIn("ada", "correct horse", ""));
}

TEST_P(AccountsTest, AnAdministratorIsMadeAndUnmade) {
  const int64_t ada = AddUser("ada");
  ASSERT_OK(accounts_->SetAdministrator(ada, true, cause_));
  EXPECT_TRUE(accounts_->Find(ada)->administrator);
  ASSERT_OK(accounts_->SetAdministrator(ada, false, cause_));
  EXPECT_FALSE(accounts_->Find(ada)->administrator);
  EXPECT_EQ(Events(AuditAction::kAdministratorMade), 1u);
  EXPECT_EQ(Events(AuditAction::kAdministratorUnmade), 1u);
}

TEST_P(AccountsTest, ADeletedUserIsGoneAndTheNameIsFree) {
  const int64_t ada = AddUser("ada");
  ASSERT_OK(Sessions(*database_, clock()).Begin(ada));
  ASSERT_OK(accounts_->Delete(ada, cause_));
  EXPECT_EQ(accounts_->Find("ada").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(accounts_->Delete(ada, cause_).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Count(Statement("SELECT COUNT(*) FROM sessions")), 0);
  EXPECT_GT(AddUser("ada"), ada);  // nothing that was of the former falls to the newcomer
}

TEST_P(AccountsTest, AnOrganizationsOnlyAdminIsNotDeleted) {
  const int64_t ada = AddUser("ada"), bob = AddUser("bob");
  Organizations organizations(*database_, clock());
  const auto lab =
      organizations.Create({.name = "lab",
                            .full_name = "",
                            .members = {{"ada", OrganizationRole::kAdmin}, {"bob", OrganizationRole::kWrite}}},
                           cause_);
  ASSERT_OK(lab);
  EXPECT_EQ(accounts_->Delete(ada, cause_).error().code, ErrorCode::kFailedPrecondition);
  ASSERT_OK(organizations.SetMember(lab->id, bob, OrganizationRole::kAdmin, cause_));
  EXPECT_OK(accounts_->Delete(ada, cause_));
}

TEST_P(AccountsTest, AUserWhoOwnsRepositoriesIsNotDeleted) {
  const int64_t ada = AddUser("ada");
  ASSERT_OK(database_->Write([&](Transaction& t) -> Result<void> {
    TRY(t.Execute("CREATE TABLE owned (namespace_id BIGINT NOT NULL REFERENCES namespaces (id))"));
    TRY(t.Execute("INSERT INTO owned (namespace_id) VALUES ($1)", ada));
    return {};
  }));
  const auto deleted = accounts_->Delete(ada, cause_);
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(deleted.error().message, "\"ada\" owns repositories: delete or move them first");
  EXPECT_OK(accounts_->Find("ada"));
}

TEST_P(AccountsTest, UsersAreListedPageByPage) {
  for (const char* name : {"carol", "ada", "bob"}) AddUser(name);
  const auto first = accounts_->List(0, 2);
  ASSERT_OK(first);
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ((*first)[0].name, "carol");
  const auto second = accounts_->List(first->back().id, 2);
  ASSERT_OK(second);
  ASSERT_EQ(second->size(), 1u);
  EXPECT_EQ((*second)[0].name, "bob");
}

}  // namespace
}  // namespace bothy
