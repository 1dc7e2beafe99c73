#include "hub/organizations.h"

#include <gtest/gtest.h>

#include "hub/accounts_testing.h"

namespace bothy {
namespace {

using enum OrganizationRole;

class OrganizationsTest : public AccountsTest {
 protected:
  void SetUp() override {
    AccountsTest::SetUp();
    if (IsSkipped()) return;
    ada_ = AddUser("ada");
    bob_ = AddUser("bob");
    organizations_.emplace(*database_, clock());
  }

  int64_t AddLab() {
    const auto lab = organizations_->Create({.name = "Lab",
                                             .full_name = "The Lab",
                                             .private_by_default = true,
                                             .members = {{"ada", kAdmin}, {"bob", kRead}}},
                                            cause_);
    EXPECT_OK(lab);
    return lab ? lab->id : 0;
  }

  int64_t ada_ = 0, bob_ = 0;
  std::optional<Organizations> organizations_;
};

BOTHY_ON_BOTH_DATABASES(OrganizationsTest);

TEST_P(OrganizationsTest, AreMadeWithTheirMembers) {
  const int64_t lab = AddLab();
  const auto found = organizations_->Find("LAB");
  ASSERT_OK(found);
  const Organization expected = {lab, "Lab", "The Lab", true, now_};
  EXPECT_EQ(*found, expected);
  const auto members = organizations_->Members(lab, 0, 10);
  ASSERT_OK(members);
  EXPECT_EQ(*members, (std::vector<Member>{{ada_, "ada", "ada", kAdmin}, {bob_, "bob", "bob", kRead}}));
  EXPECT_EQ(organizations_->Members(lab, ada_, 10)->size(), 1u);
  EXPECT_EQ(organizations_->Members(lab, 0, 1)->size(), 1u);
  EXPECT_EQ(organizations_->Of(bob_), (std::vector<Membership>{{expected, kRead}}));
  EXPECT_EQ(Events(AuditAction::kOrganizationCreated), 1u);
  EXPECT_EQ(Events(AuditAction::kMemberSet), 2u);
}

TEST_P(OrganizationsTest, AreNotMadeWithAMemberWhoIsNoUser) {
  AddLab();
  for (const char* name : {"carol", "lab"}) {
    const auto made = organizations_->Create({.name = "other", .full_name = "", .members = {{name, kRead}}}, cause_);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kNotFound);
  }
  EXPECT_EQ(organizations_->Find("other").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(organizations_->Find("ada").error().code, ErrorCode::kNotFound);
}

TEST_P(OrganizationsTest, GiveMembersOtherRoles) {
  const int64_t lab = AddLab();
  ASSERT_OK(organizations_->SetMember(lab, bob_, kContributor, cause_));
  EXPECT_EQ(organizations_->Of(bob_)->front().role, kContributor);
  ASSERT_OK(organizations_->RemoveMember(lab, bob_, cause_));
  EXPECT_TRUE(organizations_->Of(bob_)->empty());
  EXPECT_EQ(organizations_->RemoveMember(lab, bob_, cause_).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(organizations_->SetMember(lab, lab, kRead, cause_).error().code, ErrorCode::kNotFound);
}

TEST_P(OrganizationsTest, KeepTheirLastAdmin) {
  const int64_t lab = AddLab();
  EXPECT_EQ(organizations_->SetMember(lab, ada_, kWrite, cause_).error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(organizations_->RemoveMember(lab, ada_, cause_).error().code, ErrorCode::kFailedPrecondition);
  ASSERT_OK(organizations_->SetMember(lab, bob_, kAdmin, cause_));
  EXPECT_OK(organizations_->SetMember(lab, ada_, kWrite, cause_));
}

TEST_P(OrganizationsTest, ChangeTheirFullNameAndTheirDefault) {
  const int64_t lab = AddLab();
  ASSERT_OK(organizations_->Change(lab, {.full_name = "Another", .private_by_default = false}, cause_));
  EXPECT_EQ(organizations_->Find("lab"), (Organization{lab, "Lab", "Another", false, now_}));
  ASSERT_OK(organizations_->Change(lab, {.full_name = "", .private_by_default = {}}, cause_));
  EXPECT_EQ(organizations_->Find("lab"), (Organization{lab, "Lab", "Lab", false, now_}));
}

TEST_P(OrganizationsTest, AreDeletedWithTheirMemberships) {
  const int64_t lab = AddLab();
  ASSERT_OK(organizations_->Delete(lab, cause_));
  EXPECT_EQ(organizations_->Find("lab").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(organizations_->Of(ada_)->empty());
  EXPECT_OK(accounts_->Find("ada"));
}

TEST_P(OrganizationsTest, OneUserIsInAtMostAThousand) {
  const int64_t lab = AddLab();
  const int64_t carol = AddUser("carol");
  ASSERT_OK(database_->Write([&](Transaction& t) -> Result<void> {
    for (int64_t i = 0; i < Organizations::kMaxMemberships - 1; i++) {
      const auto id = TRY(t.QueryOne<int64_t>(
          "INSERT INTO namespaces (name, key, kind, full_name, created_at) VALUES ($1, $1, 'organization', '', 0) "
          "RETURNING id",
          fmt::format("org{}", i)));
      TRY(t.Execute("INSERT INTO organizations (id, private_by_default) VALUES ($1, FALSE)", *id));
      TRY(t.Execute("INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES ($1, $2, 'read', 0)",
                    *id, carol));
    }
    return {};
  }));
  ASSERT_OK(organizations_->SetMember(lab, carol, kRead, cause_));
  EXPECT_EQ(organizations_->Of(carol)->size(), static_cast<size_t>(Organizations::kMaxMemberships));
  const auto other = organizations_->Create({.name = "other", .full_name = "", .members = {}}, cause_);
  ASSERT_OK(other);
  EXPECT_EQ(organizations_->SetMember(other->id, carol, kRead, cause_).error().code, ErrorCode::kResourceExhausted);
  EXPECT_OK(organizations_->SetMember(lab, carol, kWrite, cause_));  // another role is not another membership
}

TEST_P(OrganizationsTest, FactsNameTheActorsRole) {
  const int64_t lab = AddLab();
  const auto role = [&](const Actor& actor) {
    const auto facts = database_->Read([&](Transaction& t) { return FactsOn(t, actor, lab); });
    EXPECT_OK(facts);
    return facts ? facts->role : std::nullopt;
  };
  EXPECT_EQ(role({.credential = Actor::Credential::kSession, .user_id = ada_, .name = "ada", .scopes = {}}), kAdmin);
  EXPECT_EQ(role({.credential = Actor::Credential::kSession, .user_id = lab, .name = "x", .scopes = {}}), std::nullopt);
  EXPECT_EQ(role({}), std::nullopt);
}

}  // namespace
}  // namespace bothy
