#include "hub/sessions.h"

#include <gtest/gtest.h>

#include "hub/accounts_testing.h"

namespace bothy {
namespace {

class SessionsTest : public AccountsTest {
 protected:
  void SetUp() override {
    AccountsTest::SetUp();
    if (IsSkipped()) return;
    ada_ = AddUser("ada", true);
    sessions_.emplace(*database_, clock());
  }

  std::string Begin() {
    const auto secret = sessions_->Begin(ada_);
    EXPECT_OK(secret);
    return secret.value_or("");
  }

  int64_t ada_ = 0;
  std::optional<Sessions> sessions_;
};

BOTHY_ON_BOTH_DATABASES(SessionsTest);

TEST_P(SessionsTest, SayWhoseTheyAre) {
  const auto actor = sessions_->Authenticate(Begin());
  ASSERT_OK(actor);
  EXPECT_EQ(actor->credential, Actor::Credential::kSession);
  EXPECT_EQ(actor->user_id, ada_);
  EXPECT_EQ(actor->name, "ada");
  EXPECT_TRUE(actor->administrator);
}

TEST_P(SessionsTest, ThatAreUnknownOrOfADisabledUserGiveNoActor) {
  for (const std::string& secret : {std::string(), std::string(43, 'a'), std::string(100'000, 'a')}) {
    EXPECT_EQ(sessions_->Authenticate(secret).error().code, ErrorCode::kUnauthenticated);
  }
  const std::string secret = Begin();
  // Also where the row is still there, as after a login that was under way.
  ASSERT_OK(database_->Write(
      [&](Transaction& t) { return t.Execute("UPDATE users SET disabled = TRUE WHERE id = $1", ada_); }));
  EXPECT_EQ(sessions_->Authenticate(secret).error().code, ErrorCode::kUnauthenticated);
}

TEST_P(SessionsTest, LastTwoWeeksSinceTheirLastUse) {
  const std::string used = Begin(), unused = Begin();
  now_ += kSessionLifetime - std::chrono::hours(1);
  EXPECT_OK(sessions_->Authenticate(used));
  now_ += std::chrono::hours(1);
  EXPECT_FALSE(sessions_->Authenticate(unused));
  EXPECT_OK(sessions_->Authenticate(used));
  now_ += kSessionLifetime - std::chrono::microseconds(1);
  EXPECT_OK(sessions_->Authenticate(used));
  now_ += kSessionLifetime;
  EXPECT_FALSE(sessions_->Authenticate(used));
}

TEST_P(SessionsTest, WriteTheirUseDownOnceAnHour) {
  const std::string secret = Begin();
  const Statement expiry("SELECT expires_at FROM sessions");
  const int64_t begun = Count(expiry);
  now_ += kSessionUsePrecision - std::chrono::microseconds(1);
  ASSERT_OK(sessions_->Authenticate(secret));
  EXPECT_EQ(Count(expiry), begun);
  now_ += std::chrono::microseconds(1);
  ASSERT_OK(sessions_->Authenticate(secret));
  EXPECT_EQ(Count(expiry), begun + std::chrono::microseconds(kSessionUsePrecision).count());
}

TEST_P(SessionsTest, EndAloneOrAllTogether) {
  const std::string first = Begin(), second = Begin(), third = Begin();
  ASSERT_OK(sessions_->End(first));
  EXPECT_FALSE(sessions_->Authenticate(first));
  EXPECT_OK(sessions_->Authenticate(second));
  ASSERT_OK(sessions_->EndAll(ada_));
  EXPECT_FALSE(sessions_->Authenticate(second));
  EXPECT_FALSE(sessions_->Authenticate(third));
}

TEST_P(SessionsTest, ThatHaveExpiredAreRemovedByTheNextLogin) {
  Begin();
  now_ += kSessionLifetime;
  Begin();
  EXPECT_EQ(Count(Statement("SELECT COUNT(*) FROM sessions")), 1);
}

TEST(CsrfTokens, BelongToOneSession) {
  // echo -n csrf | openssl dgst -sha256 -hmac secret -binary | basenc --base64url
  EXPECT_EQ(CsrfToken("secret"), "oz43yFX_D9SGOMo18xqzNgLg3qfyXYPP5SPgy7bTvhc");
  EXPECT_TRUE(CsrfTokenMatches("secret", CsrfToken("secret")));
  EXPECT_FALSE(CsrfTokenMatches("secret2", CsrfToken("secret")));
  EXPECT_FALSE(CsrfTokenMatches("secret", ""));
}

}  // namespace
}  // namespace bothy
