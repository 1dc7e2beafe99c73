#include "hub/device_login.h"

#include <gtest/gtest.h>

#include <set>

#include "hub/accounts_testing.h"
#include "hub/tokens.h"

namespace bothy {
namespace {

using std::chrono::seconds;

constexpr std::string_view kClient = "hf-cli";

class DeviceLoginsTest : public AccountsTest {
 protected:
  void SetUp() override {
    AccountsTest::SetUp();
    if (IsSkipped()) return;
    ada_ = {.credential = Actor::Credential::kSession, .user_id = AddUser("ada"), .name = "ada", .scopes = {}};
    logins_.emplace(*database_, clock());
    tokens_.emplace(*database_, clock());
  }

  DeviceCode Begin() {
    const auto code = logins_->Begin(kClient, "openid");
    EXPECT_OK(code);
    return code ? *code : DeviceCode{};
  }

  // The error's name, or "tokens".
  static std::string NameOf(const Result<OauthAnswer>& answer) {
    EXPECT_OK(answer);
    if (!answer) return "failed";
    return std::string(*answer ? "tokens" : OauthErrorName(answer->error()));
  }
  std::string Poll(const DeviceCode& code) { return NameOf(logins_->Poll(code.device_code, kClient)); }
  std::string Refresh(std::string_view token) { return NameOf(logins_->Refresh(token, kClient)); }

  OauthTokens LogIn() {
    const DeviceCode code = Begin();
    EXPECT_OK(logins_->Approve(code.user_code, ada_, "192.0.2.1"));
    const auto answer = logins_->Poll(code.device_code, kClient);
    EXPECT_EQ(NameOf(answer), "tokens");
    return answer && *answer ? **answer : OauthTokens{};
  }
  OauthTokens Renew(const OauthTokens& tokens) {
    const auto answer = logins_->Refresh(tokens.refresh_token, kClient);
    EXPECT_EQ(NameOf(answer), "tokens");
    return answer && *answer ? **answer : OauthTokens{};
  }
  bool Works(const OauthTokens& tokens) { return tokens_->Authenticate(tokens.access_token).has_value(); }

  Actor ada_;
  std::optional<DeviceLogins> logins_;
  std::optional<Tokens> tokens_;
};

BOTHY_ON_BOTH_DATABASES(DeviceLoginsTest);

TEST_P(DeviceLoginsTest, ADeviceGetsAWritingTokenOfWhoConfirmsItsCode) {
  const DeviceCode code = Begin();
  EXPECT_EQ(code.expires_in, seconds(900));
  EXPECT_EQ(code.interval, seconds(5));
  EXPECT_EQ(Poll(code), "authorization_pending");
  ASSERT_OK(logins_->Approve(code.user_code, ada_, "192.0.2.1"));
  const auto answer = logins_->Poll(code.device_code, kClient);
  ASSERT_EQ(NameOf(answer), "tokens");
  EXPECT_EQ((*answer)->expires_in, kDeviceTokenLifetime);
  const auto actor = tokens_->Authenticate((*answer)->access_token);
  ASSERT_OK(actor);
  EXPECT_EQ(actor->name, "ada");
  EXPECT_EQ(actor->token_role, TokenRole::kWrite);
  EXPECT_EQ(tokens_->Find(actor->token_id)->name, "oauth-ada");
  EXPECT_EQ(tokens_->Find(actor->token_id)->kind, TokenKind::kOauth);
  EXPECT_EQ(Poll(code), "expired_token");  // it is given out once
  EXPECT_EQ(Events(AuditAction::kDeviceApproved), 1u);
}

TEST_P(DeviceLoginsTest, PeopleMayTypeTheCodeAsTheyLike) {
  const DeviceCode code = Begin();
  ASSERT_EQ(code.user_code.size(), 9u);
  EXPECT_EQ(code.user_code[4], '-');
  std::string typed = code.user_code;
  for (char& c : typed) c = static_cast<char>(std::tolower(c));
  for (const std::string& text :
       {code.user_code, typed, typed.substr(0, 4) + " " + typed.substr(5), typed.substr(0, 4) + typed.substr(5)}) {
    const auto found = logins_->Find(text);
    ASSERT_OK(found);
    EXPECT_EQ(found->user_code, code.user_code);
    EXPECT_EQ(found->client_id, kClient);
    EXPECT_EQ(found->scope, "openid");
  }
  for (const std::string& text : {std::string(), std::string("AAAA-AAAA"), code.user_code + "B", typed.substr(0, 8)}) {
    EXPECT_EQ(logins_->Find(text).error().code, ErrorCode::kNotFound) << text;
    EXPECT_EQ(logins_->Approve(text, ada_, "").error().code, ErrorCode::kNotFound) << text;
  }
}

TEST_P(DeviceLoginsTest, CodesAreMadeOfTwentyLettersAndDiffer) {
  std::set<std::string> codes;
  std::set<char> letters;
  for (int i = 0; i < 100; i++) {
    const DeviceCode code = Begin();
    codes.insert(code.user_code);
    letters.insert(code.user_code.begin(), code.user_code.end());
  }
  EXPECT_EQ(codes.size(), 100u);
  letters.erase('-');
  // Of 800 letters none of the twenty is missing, but once in 10^16 runs.
  EXPECT_EQ(std::string(letters.begin(), letters.end()), "BCDFGHJKLMNPQRSTVWXZ");
}

TEST_P(DeviceLoginsTest, ADeniedDeviceLearnsIt) {
  const DeviceCode code = Begin();
  ASSERT_OK(logins_->Deny(code.user_code, ada_, ""));
  EXPECT_EQ(logins_->Approve(code.user_code, ada_, "").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Poll(code), "access_denied");
  EXPECT_EQ(Events(AuditAction::kDeviceDenied), 1u);
}

TEST_P(DeviceLoginsTest, ACodeExpiresAfterAQuarterOfAnHour) {
  const DeviceCode code = Begin();
  now_ += kDeviceCodeLifetime - std::chrono::microseconds(1);
  EXPECT_EQ(Poll(code), "authorization_pending");
  now_ += std::chrono::microseconds(1);
  EXPECT_EQ(Poll(code), "expired_token");
  EXPECT_EQ(logins_->Find(code.user_code).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(logins_->Approve(code.user_code, ada_, "").error().code, ErrorCode::kNotFound);
}

TEST_P(DeviceLoginsTest, ADeviceThatPollsTooOftenIsToldToSlowDownByFiveSecondsMore) {
  const DeviceCode code = Begin();
  EXPECT_EQ(Poll(code), "authorization_pending");
  now_ += seconds(4);
  EXPECT_EQ(Poll(code), "slow_down");
  now_ += seconds(9);
  EXPECT_EQ(Poll(code), "slow_down");
  now_ += seconds(15);
  EXPECT_EQ(Poll(code), "authorization_pending");
}

TEST_P(DeviceLoginsTest, AnotherClientGetsNothingForACode) {
  const DeviceCode code = Begin();
  ASSERT_OK(logins_->Approve(code.user_code, ada_, ""));
  EXPECT_EQ(NameOf(logins_->Poll(code.device_code, "another")), "expired_token");
  EXPECT_EQ(Poll(code), "tokens");
}

TEST_P(DeviceLoginsTest, ClientsAreNamedAndScopesAreShort) {
  EXPECT_OK(logins_->Begin(std::string(kMaxClientIdBytes, 'a'), std::string(kMaxOauthScopeBytes, 'a')));
  EXPECT_EQ(logins_->Begin("", "").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(logins_->Begin(std::string(kMaxClientIdBytes + 1, 'a'), "").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(logins_->Begin("a", std::string(kMaxOauthScopeBytes + 1, 'a')).error().code, ErrorCode::kInvalidArgument);
}

TEST_P(DeviceLoginsTest, AtMostTenThousandDevicesWait) {
  ASSERT_OK(database_->Write([&](Transaction& t) -> Result<void> {
    for (int64_t i = 0; i < kMaxDeviceCodes - 1; i++) {
      const Bytes digest = {std::byte(i & 0xff), std::byte(i >> 8)};
      TRY(
          t.Execute("INSERT INTO device_codes (digest, user_code, client_id, scope, state, created_at, expires_at, "
                    "seconds_between_polls) VALUES ($1, $2, 'a', '', 'pending', $3, $4, 5)",
                    digest, fmt::format("{}", i), now_, now_ + kDeviceCodeLifetime));
    }
    return {};
  }));
  Begin();
  EXPECT_EQ(logins_->Begin(kClient, "").error().code, ErrorCode::kResourceExhausted);
  now_ += kDeviceCodeLifetime;
  Begin();
  EXPECT_EQ(Count(Statement("SELECT COUNT(*) FROM device_codes")), 1);
}

TEST_P(DeviceLoginsTest, ARefreshTokenGetsANewPairAndTheOldAccessTokenStays) {
  const OauthTokens first = LogIn();
  now_ += kDeviceTokenLifetime - std::chrono::hours(24);
  const OauthTokens second = Renew(first);
  EXPECT_NE(second.access_token, first.access_token);
  EXPECT_NE(second.refresh_token, first.refresh_token);
  EXPECT_TRUE(Works(first));
  EXPECT_TRUE(Works(second));
  now_ += std::chrono::hours(24);
  EXPECT_FALSE(Works(first));
  EXPECT_TRUE(Works(second));
  now_ += kDeviceTokenLifetime;
  EXPECT_TRUE(Works(Renew(second)));
}

TEST_P(DeviceLoginsTest, ARefreshTokenMayBeUsedAgainForAMinute) {
  const OauthTokens first = LogIn();
  Renew(first);
  now_ += kRefreshGrace;
  EXPECT_TRUE(Works(Renew(first)));
}

TEST_P(DeviceLoginsTest, ARefreshTokenThatIsUsedAgainLaterEndsItsLogin) {
  const OauthTokens first = LogIn(), other = LogIn();
  const OauthTokens second = Renew(first);
  const OauthTokens third = Renew(second);
  now_ += kRefreshGrace + std::chrono::microseconds(1);
  EXPECT_EQ(Refresh(first.refresh_token), "invalid_grant");
  EXPECT_FALSE(Works(first));
  EXPECT_FALSE(Works(second));
  EXPECT_FALSE(Works(third));
  EXPECT_EQ(Refresh(third.refresh_token), "invalid_grant");
  EXPECT_TRUE(Works(other));
  EXPECT_EQ(Events(AuditAction::kRefreshTokenReused), 1u);
}

TEST_P(DeviceLoginsTest, RevokingOneTokenOfALoginRevokesAll) {
  const OauthTokens first = LogIn();
  const OauthTokens second = Renew(first);
  const int64_t id = tokens_->Authenticate(second.access_token)->token_id;
  ASSERT_OK(tokens_->Revoke(ada_.user_id, id, cause_));
  EXPECT_FALSE(Works(first));
  EXPECT_EQ(Refresh(first.refresh_token), "invalid_grant");
  EXPECT_EQ(Refresh(second.refresh_token), "invalid_grant");
}

TEST_P(DeviceLoginsTest, ARefreshTokenIsForItsClientAndForNinetyDaysAndAnEnabledUser) {
  EXPECT_EQ(Refresh(""), "invalid_grant");
  EXPECT_EQ(Refresh(std::string(100'000, 'a')), "invalid_grant");
  const OauthTokens tokens = LogIn();
  EXPECT_EQ(NameOf(logins_->Refresh(tokens.refresh_token, "another")), "invalid_grant");
  ASSERT_OK(accounts_->SetDisabled(ada_.user_id, true, cause_));
  EXPECT_EQ(Refresh(tokens.refresh_token), "invalid_grant");
  ASSERT_OK(accounts_->SetDisabled(ada_.user_id, false, cause_));
  now_ += kRefreshTokenLifetime;
  EXPECT_EQ(Refresh(tokens.refresh_token), "invalid_grant");
}

TEST_P(DeviceLoginsTest, SecretsAreNotStored) {
  const DeviceCode code = Begin();
  const OauthTokens tokens = LogIn();
  const auto rows = database_->Read([&](Transaction& t) {
    return t.Query<Bytes>(
        "SELECT digest FROM device_codes UNION ALL SELECT digest FROM refresh_tokens UNION ALL SELECT digest FROM "
        "tokens");
  });
  ASSERT_OK(rows);
  EXPECT_EQ(rows->size(), 3u);
  for (const Bytes& digest : *rows) EXPECT_EQ(digest.size(), 32u);
  EXPECT_EQ(code.device_code.size(), 43u);
  EXPECT_EQ(tokens.refresh_token.size(), 43u);
}

}  // namespace
}  // namespace bothy
