#include "hub/tokens.h"

#include <gtest/gtest.h>

#include "crypto/sha.h"
#include "hub/accounts_testing.h"

namespace bothy {
namespace {

class TokensTest : public AccountsTest {
 protected:
  void SetUp() override {
    AccountsTest::SetUp();
    if (IsSkipped()) return;
    ada_ = AddUser("ada", true);
    tokens_.emplace(*database_, clock());
  }

  CreatedToken Add(NewToken token) {
    token.user_id = ada_;
    if (token.name.empty()) token.name = "laptop";
    const auto created = tokens_->Create(token, cause_);
    EXPECT_OK(created);
    return created ? *created : CreatedToken{};
  }

  int64_t ada_ = 0;
  std::optional<Tokens> tokens_;
};

BOTHY_ON_BOTH_DATABASES(TokensTest);

TEST_P(TokensTest, SayWhoseTheyAreAndWhatTheyMay) {
  const CreatedToken write = Add({.role = TokenRole::kWrite, .scopes = {}, .expires_at = {}});
  const auto actor = tokens_->Authenticate(write.secret);
  ASSERT_OK(actor);
  EXPECT_EQ(actor->credential, Actor::Credential::kToken);
  EXPECT_EQ(actor->user_id, ada_);
  EXPECT_EQ(actor->name, "ada");
  EXPECT_TRUE(actor->administrator);
  EXPECT_EQ(actor->token_id, write.token.id);
  EXPECT_EQ(actor->token_role, TokenRole::kWrite);
  EXPECT_EQ(Events(AuditAction::kTokenCreated), 1u);
}

TEST_P(TokensTest, KeepTheirScopes) {
  const TokenScopes scopes = {.scoped = {{ScopeKind::kUser, ada_, "ada", Permission::kWriteRepositories}},
                              .global = Permission::kWriteDiscussions,
                              .read_gated_repositories = true};
  const CreatedToken fine = Add({.role = TokenRole::kFineGrained, .scopes = scopes, .expires_at = {}});
  const auto actor = tokens_->Authenticate(fine.secret);
  ASSERT_OK(actor);
  EXPECT_TRUE(actor->IsFineGrained());
  EXPECT_EQ(actor->scopes, scopes);
  EXPECT_EQ(tokens_->Find(fine.token.id)->scopes, scopes);
}

TEST_P(TokensTest, BeginWithHfAndAreNotStored) {
  const CreatedToken token = Add({.scopes = {}, .expires_at = {}});
  EXPECT_EQ(token.secret.size(), 37u);
  EXPECT_TRUE(token.secret.starts_with("hf_"));
  const auto digest = database_->Read(
      [&](Transaction& t) { return t.QueryOne<Bytes>("SELECT digest FROM tokens WHERE id = $1", token.token.id); });
  ASSERT_OK(digest);
  const Digest256 expected = Sha256::Of(token.secret);
  EXPECT_EQ(*digest, Bytes(expected.begin(), expected.end()));
  EXPECT_NE(Add({.scopes = {}, .expires_at = {}}).secret, token.secret);
}

TEST_P(TokensTest, ThatAreUnknownRevokedOrExpiredOrOfADisabledUserGiveNoActorInTheSameWords) {
  const auto refused = [&](std::string_view secret) {
    const auto actor = tokens_->Authenticate(secret);
    return !actor && actor.error().code == ErrorCode::kUnauthenticated &&
           actor.error().message == "Invalid credentials in Authorization header";  // as huggingface_hub knows it
  };
  for (const std::string_view secret : {"", "hf_", "hf_0123456789012345678901234567890123", "xx_0123456789"}) {
    EXPECT_TRUE(refused(secret)) << secret;
  }
  EXPECT_TRUE(refused(std::string(100'000, 'a')));

  const CreatedToken revoked = Add({.scopes = {}, .expires_at = {}});
  ASSERT_OK(tokens_->Revoke(ada_, revoked.token.id, cause_));
  EXPECT_TRUE(refused(revoked.secret));
  EXPECT_EQ(tokens_->Revoke(ada_, revoked.token.id, cause_).error().code, ErrorCode::kNotFound);

  const CreatedToken expiring = Add({.scopes = {}, .expires_at = now_ + std::chrono::hours(1)});
  now_ += std::chrono::hours(1) - std::chrono::microseconds(1);
  EXPECT_OK(tokens_->Authenticate(expiring.secret));
  now_ += std::chrono::microseconds(1);
  EXPECT_TRUE(refused(expiring.secret));

  const CreatedToken good = Add({.scopes = {}, .expires_at = {}});
  EXPECT_OK(tokens_->Authenticate(good.secret));
  ASSERT_OK(accounts_->SetDisabled(ada_, true, cause_));
  EXPECT_TRUE(refused(good.secret));
}

TEST_P(TokensTest, RememberTheirLastUseToAMinute) {
  const CreatedToken token = Add({.scopes = {}, .expires_at = {}});
  const auto last_use = [&] { return tokens_->Find(token.token.id)->last_used_at; };
  EXPECT_EQ(last_use(), std::nullopt);
  const Timestamp first = now_;
  ASSERT_OK(tokens_->Authenticate(token.secret));
  EXPECT_EQ(last_use(), first);
  now_ += std::chrono::seconds(59);
  ASSERT_OK(tokens_->Authenticate(token.secret));
  EXPECT_EQ(last_use(), first);
  now_ += std::chrono::seconds(1);
  ASSERT_OK(tokens_->Authenticate(token.secret));
  EXPECT_EQ(last_use(), first + std::chrono::minutes(1));
}

TEST_P(TokensTest, AreListedWhileTheyLiveTheNewestFirst) {
  const int64_t first = Add({.name = "first", .scopes = {}, .expires_at = {}}).token.id;
  Add({.name = "short", .scopes = {}, .expires_at = now_ + std::chrono::hours(1)});
  const int64_t last = Add({.name = "last", .scopes = {}, .expires_at = {}}).token.id;
  const int64_t gone = Add({.name = "gone", .scopes = {}, .expires_at = {}}).token.id;
  ASSERT_OK(tokens_->Revoke(ada_, gone, cause_));
  now_ += std::chrono::hours(1);
  const auto list = tokens_->List(ada_);
  ASSERT_OK(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].id, last);
  EXPECT_EQ((*list)[1].id, first);
}

TEST_P(TokensTest, OfOthersAreNotRevoked) {
  const int64_t bob = AddUser("bob");
  const CreatedToken token = Add({.scopes = {}, .expires_at = {}});
  EXPECT_EQ(tokens_->Revoke(bob, token.token.id, cause_).error().code, ErrorCode::kNotFound);
  EXPECT_OK(tokens_->Authenticate(token.secret));
}

TEST_P(TokensTest, HaveANameOfAtMost100BytesAndScopesOnlyWhereFineGrained) {
  const auto code = [&](const NewToken& token) {
    const auto created = tokens_->Create(token, cause_);
    return created ? std::nullopt : std::optional(created.error().code);
  };
  NewToken token = {.user_id = ada_, .name = std::string(kMaxTokenNameBytes, 'a'), .scopes = {}, .expires_at = {}};
  EXPECT_EQ(code(token), std::nullopt);
  token.name += 'a';
  EXPECT_EQ(code(token), ErrorCode::kInvalidArgument);
  token.name = "";
  EXPECT_EQ(code(token), ErrorCode::kInvalidArgument);
  token.name = "a";
  token.scopes.read_gated_repositories = true;
  EXPECT_EQ(code(token), ErrorCode::kInvalidArgument);
  token.role = TokenRole::kFineGrained;
  token.scopes.scoped.resize(kMaxTokenScopes);
  EXPECT_EQ(code(token), std::nullopt);
  token.scopes.scoped.emplace_back();
  EXPECT_EQ(code(token), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.user_id = 12345, .name = "a", .scopes = {}, .expires_at = {}}), ErrorCode::kFailedPrecondition);
}

TEST_P(TokensTest, AreAtMostAThousandAUser) {
  ASSERT_OK(database_->Write([&](Transaction& t) -> Result<void> {
    for (int64_t i = 0; i < kMaxTokens - 1; i++) {
      TRY(AddToken(t, {.user_id = ada_, .name = "a", .scopes = {}, .expires_at = {}}, now_));
    }
    return {};
  }));
  const CreatedToken last = Add({.scopes = {}, .expires_at = {}});
  const NewToken one_more = {.user_id = ada_, .name = "a", .scopes = {}, .expires_at = {}};
  EXPECT_EQ(tokens_->Create(one_more, cause_).error().code, ErrorCode::kResourceExhausted);
  ASSERT_OK(tokens_->Revoke(ada_, last.token.id, cause_));
  EXPECT_OK(tokens_->Create(one_more, cause_));
}

}  // namespace
}  // namespace bothy
