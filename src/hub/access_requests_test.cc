#include "hub/access_requests.h"

#include "hub/repositories_testing.h"

namespace bothy {
namespace {

class AccessRequestsTest : public RepositoriesTest {
 protected:
  void SetUp() override {
    RepositoriesTest::SetUp();
    if (IsSkipped()) return;
    requests_ = std::make_unique<AccessRequests>(*repositories_);
    repository_ = Make(ada_, "demo");
  }

  void Gate(Gating gating) {
    ASSERT_OK(repositories_->Change(ada_, repository_, {.gating = gating}));
    repository_.gating = gating;
  }

  std::vector<std::string> Names(AccessRequest status) {
    std::vector<std::string> names;
    const auto listed = requests_->List(repository_, status, 0, 100);
    EXPECT_OK(listed);
    for (const auto& request : *listed) names.push_back(request.user);
    return names;
  }

  std::unique_ptr<AccessRequests> requests_;
  Repository repository_;
};

BOTHY_ON_BOTH_DATABASES(AccessRequestsTest);

using Strings = std::vector<std::string>;

TEST_P(AccessRequestsTest, WhereAPersonDecidesOneWaits) {
  Gate(Gating::kManual);
  EXPECT_EQ(*requests_->Ask(bob_, repository_, R"({"why":"research"})"), AccessRequest::kPending);
  EXPECT_EQ(Find("ada", "demo", bob_)->facts.access, AccessRequest::kPending);
  EXPECT_EQ(Names(AccessRequest::kPending), Strings{"Bob"});
  const auto listed = requests_->List(repository_, AccessRequest::kPending, 0, 100);
  EXPECT_EQ(listed->front().answers, R"({"why":"research"})");
  EXPECT_EQ(requests_->Ask(bob_, repository_, "{}").error().code, ErrorCode::kAlreadyExists);
}

TEST_P(AccessRequestsTest, WhereAskingIsEnoughOneIsIn) {
  Gate(Gating::kAutomatic);
  EXPECT_EQ(*requests_->Ask(bob_, repository_, "{}"), AccessRequest::kAccepted);
  EXPECT_EQ(Names(AccessRequest::kAccepted), Strings{"Bob"});
}

TEST_P(AccessRequestsTest, WhatIsNotGatedCannotBeAskedFor) {
  EXPECT_EQ(requests_->Ask(bob_, repository_, "{}").error().code, ErrorCode::kFailedPrecondition);
}

TEST_P(AccessRequestsTest, ARequestGoesFromEachStateToEachOther) {
  Gate(Gating::kManual);
  ASSERT_OK(requests_->Ask(bob_, repository_, "{}"));
  for (const auto status : {AccessRequest::kAccepted, AccessRequest::kRejected, AccessRequest::kPending,
                            AccessRequest::kRejected, AccessRequest::kAccepted, AccessRequest::kPending}) {
    ASSERT_OK(requests_->Handle(repository_, "BOB", status, status == AccessRequest::kRejected ? "no" : ""));
    EXPECT_EQ(Names(status), Strings{"Bob"});
    EXPECT_EQ(requests_->Handle(repository_, "bob", status, "").error().code, ErrorCode::kFailedPrecondition);
  }
  EXPECT_EQ(requests_->List(repository_, AccessRequest::kPending, 0, 1)->front().rejection_reason, "");
}

TEST_P(AccessRequestsTest, OnlyWhoHasAskedIsHandledAndWhoHasNotIsGranted) {
  Gate(Gating::kManual);
  EXPECT_EQ(requests_->Handle(repository_, "bob", AccessRequest::kAccepted, "").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(requests_->Handle(repository_, "nobody", AccessRequest::kAccepted, "").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(requests_->Grant(repository_, "nobody").error().code, ErrorCode::kNotFound);
  ASSERT_OK(requests_->Grant(repository_, "bob"));
  EXPECT_EQ(requests_->Grant(repository_, "bob").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(Find("ada", "demo", bob_)->facts.access, AccessRequest::kAccepted);
  ASSERT_OK(requests_->Withdraw(bob_, repository_));
  EXPECT_EQ(requests_->Withdraw(bob_, repository_).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Find("ada", "demo", bob_)->facts.access, AccessRequest::kNone);
}

TEST_P(AccessRequestsTest, AReasonIsForRejectionsAndOfLimitedLength) {
  Gate(Gating::kManual);
  ASSERT_OK(requests_->Ask(bob_, repository_, "{}"));
  EXPECT_EQ(requests_->Handle(repository_, "bob", AccessRequest::kAccepted, "why").error().code,
            ErrorCode::kInvalidArgument);
  const std::string limit(AccessRequests::kMaxReasonBytes, 'x');
  EXPECT_EQ(requests_->Handle(repository_, "bob", AccessRequest::kRejected, limit + "x").error().code,
            ErrorCode::kResourceExhausted);
  ASSERT_OK(requests_->Handle(repository_, "bob", AccessRequest::kRejected, limit));
  EXPECT_EQ(requests_->List(repository_, AccessRequest::kRejected, 0, 1)->front().rejection_reason, limit);
}

TEST_P(AccessRequestsTest, AnswersAreAJsonObjectOfLimitedLength) {
  Gate(Gating::kManual);
  for (const char* answers : {"", "[]", "{", "1"}) {
    EXPECT_EQ(requests_->Ask(bob_, repository_, answers).error().code, ErrorCode::kInvalidArgument) << answers;
  }
  const std::string limit = fmt::format(R"({{"a":"{}"}})", std::string(AccessRequests::kMaxAnswerBytes - 8, 'x'));
  EXPECT_EQ(requests_->Ask(bob_, repository_, limit + " ").error().code, ErrorCode::kResourceExhausted);
  EXPECT_OK(requests_->Ask(bob_, repository_, limit));
}

TEST_P(AccessRequestsTest, ListsComeInPagesTheNewestFirst) {
  Gate(Gating::kManual);
  Strings names;
  for (int i = 0; i < 5; i++) {
    const Actor user = AddUser(fmt::format("user{}", i));
    ASSERT_OK(requests_->Ask(user, repository_, "{}"));
    names.insert(names.begin(), user.name);
  }
  Strings listed;
  for (int64_t before = 0;;) {
    const auto page = requests_->List(repository_, AccessRequest::kPending, before, 2);
    ASSERT_OK(page);
    if (page->empty()) break;
    for (const auto& request : *page) listed.push_back(request.user);
    before = page->back().id;
  }
  EXPECT_EQ(listed, names);
}

}  // namespace
}  // namespace bothy
