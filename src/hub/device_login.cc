#include "hub/device_login.h"

#include <array>

#include "crypto/secrets.h"
#include "crypto/sha.h"
#include "hub/tokens.h"

namespace bothy {
namespace {

constexpr size_t kSecretLength = 43;  // 256 bits
// Without vowels, so that no words come out, and without what looks alike (RFC 8628, section 6.1): 8 of them hold 34
// bits, of which a guesser may try few in a quarter of an hour.
constexpr std::string_view kUserCodeAlphabet = "BCDFGHJKLMNPQRSTVWXZ";
constexpr size_t kUserCodeLength = 8;

std::string RandomUserCode() {
  std::string code;
  while (code.size() < kUserCodeLength) {
    std::array<std::byte, 16> random;
    FillRandom(random);
    for (const std::byte byte : random) {
      // Those at the end of the range would make the first letters likelier.
      const size_t value = static_cast<size_t>(byte);
      if (value >= 256 / kUserCodeAlphabet.size() * kUserCodeAlphabet.size()) continue;
      if (code.size() < kUserCodeLength) code += kUserCodeAlphabet[value % kUserCodeAlphabet.size()];
    }
  }
  return code;
}

std::string Shown(std::string_view user_code) {
  return fmt::format("{}-{}", user_code.substr(0, kUserCodeLength / 2), user_code.substr(kUserCodeLength / 2));
}

// As it is stored; "" where it can be none.
std::string Typed(std::string_view text) {
  std::string code;
  for (const char c : text) {
    if (c == '-' || c == ' ') continue;
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (kUserCodeAlphabet.find(upper) == std::string_view::npos || code.size() == kUserCodeLength) return "";
    code += upper;
  }
  return code;
}

// The pair of a login; `login` is the number of its first access token, nothing for that one itself.
Result<OauthTokens> AddTokens(Transaction& t, int64_t user_id, std::string_view client_id, std::optional<int64_t> login,
                              Timestamp now) {
  const auto user = TRY(t.QueryOne<std::string>("SELECT name FROM namespaces WHERE id = $1", user_id));
  // The client keeps its tokens by their names, which it would make up like this.
  const CreatedToken access =
      TRY(AddToken(t,
                   {.user_id = user_id,
                    .name = fmt::format("oauth-{}", user.value_or("")).substr(0, kMaxTokenNameBytes),
                    .kind = TokenKind::kOauth,
                    .role = TokenRole::kWrite,
                    .scopes = {},
                    .expires_at = now + kDeviceTokenLifetime},
                   now));
  OauthTokens tokens = {access.secret, RandomAlphanumeric(kSecretLength), kDeviceTokenLifetime};
  TRY(
      t.Execute("INSERT INTO refresh_tokens (digest, token_id, login, client_id, created_at, expires_at) "
                "VALUES ($1, $2, $3, $4, $5, $6)",
                std::span<const std::byte>(Sha256::Of(tokens.refresh_token)), access.token.id,
                login.value_or(access.token.id), client_id, now, now + kRefreshTokenLifetime));
  return tokens;
}

OauthAnswer Because(OauthError error) { return tl::unexpected(error); }

}  // namespace

std::string_view OauthErrorName(OauthError error) {
  switch (error) {
    case OauthError::kAuthorizationPending: return "authorization_pending";
    case OauthError::kSlowDown: return "slow_down";
    case OauthError::kExpiredToken: return "expired_token";
    case OauthError::kAccessDenied: return "access_denied";
    case OauthError::kInvalidGrant: return "invalid_grant";
  }
  return "server_error";
}

Result<DeviceCode> DeviceLogins::Begin(std::string_view client_id, std::string_view scope) {
  if (client_id.empty() || client_id.size() > kMaxClientIdBytes) {
    return Fail(ErrorCode::kInvalidArgument, "client_id has 1 to {} bytes, this has {}", kMaxClientIdBytes,
                client_id.size());
  }
  if (scope.size() > kMaxOauthScopeBytes) {
    return Fail(ErrorCode::kInvalidArgument, "scope has at most {} bytes, this has {}", kMaxOauthScopeBytes,
                scope.size());
  }
  const std::string device_code = RandomAlphanumeric(kSecretLength);
  const std::string user_code = TRY(database_.Write([&](Transaction& t) -> Result<std::string> {
    const Timestamp now = clock_();
    TRY(t.Execute("DELETE FROM device_codes WHERE expires_at <= $1", now));
    if (TRY(t.QueryOne<int64_t>("SELECT COUNT(*) FROM device_codes")) >= kMaxDeviceCodes) {
      return Fail(ErrorCode::kResourceExhausted, "too many devices wait for their login: try again later");
    }
    while (true) {
      std::string code = RandomUserCode();
      if (TRY(t.Execute("INSERT INTO device_codes (digest, user_code, client_id, scope, state, created_at, expires_at, "
                        "seconds_between_polls) VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7) "
                        "ON CONFLICT (user_code) DO NOTHING",
                        std::span<const std::byte>(Sha256::Of(device_code)), code, client_id, scope, now,
                        now + kDeviceCodeLifetime, kDevicePollInterval.count())) == 1) {
        return code;
      }
    }
  }));
  return DeviceCode{.device_code = device_code, .user_code = Shown(user_code)};
}

Result<DeviceRequest> DeviceLogins::Find(std::string_view user_code) const {
  const std::string typed = Typed(user_code);
  auto row = TRY(database_.Read([&](Transaction& t) {
    return t.QueryOne<std::string, std::string, Timestamp>(
        "SELECT client_id, scope, created_at FROM device_codes "
        "WHERE user_code = $1 AND state = 'pending' AND expires_at > $2",
        typed, clock_());
  }));
  if (!row) return Fail(ErrorCode::kNotFound, "no device waits with this code");
  auto& [client_id, scope, created_at] = *row;
  return DeviceRequest{Shown(typed), std::move(client_id), std::move(scope), created_at};
}

Result<void> DeviceLogins::Approve(std::string_view user_code, const Actor& actor, std::string_view address) {
  return Decide(user_code, actor, address, true);
}

Result<void> DeviceLogins::Deny(std::string_view user_code, const Actor& actor, std::string_view address) {
  return Decide(user_code, actor, address, false);
}

Result<void> DeviceLogins::Decide(std::string_view user_code, const Actor& actor, std::string_view address,
                                  bool approved) {
  return database_.Write([&](Transaction& t) -> Result<void> {
    const Timestamp now = clock_();
    const auto client = TRY(
        t.QueryOne<std::string>("UPDATE device_codes SET state = $1, user_id = $2 "
                                "WHERE user_code = $3 AND state = 'pending' AND expires_at > $4 RETURNING client_id",
                                approved ? "approved" : "denied", actor.user_id, Typed(user_code), now));
    if (!client) return Fail(ErrorCode::kNotFound, "no device waits with this code");
    return Record(t, now, Cause::By(actor, address),
                  approved ? AuditAction::kDeviceApproved : AuditAction::kDeviceDenied, actor.name, *client);
  });
}

Result<OauthAnswer> DeviceLogins::Poll(std::string_view device_code, std::string_view client_id) {
  return database_.Write([&](Transaction& t) -> Result<OauthAnswer> {
    const Timestamp now = clock_();
    const auto row =
        TRY((t.QueryOne<int64_t, std::string, std::optional<int64_t>, Timestamp, std::optional<Timestamp>, int64_t>(
            "SELECT id, state, user_id, expires_at, polled_at, seconds_between_polls FROM device_codes "
            "WHERE digest = $1 AND client_id = $2",
            std::span<const std::byte>(Sha256::Of(device_code)), client_id)));
    if (!row) return Because(OauthError::kExpiredToken);  // or never was: a device has one question either way
    const auto& [id, state, user_id, expires_at, polled_at, seconds_between_polls] = *row;
    if (expires_at <= now) return Because(OauthError::kExpiredToken);
    if (state == "pending") {
      const bool early = polled_at && now - *polled_at < std::chrono::seconds(seconds_between_polls);
      TRY(
          t.Execute("UPDATE device_codes SET polled_at = $1, seconds_between_polls = seconds_between_polls + $2 "
                    "WHERE id = $3",
                    now, early ? kDevicePollInterval.count() : 0, id));
      return Because(early ? OauthError::kSlowDown : OauthError::kAuthorizationPending);
    }
    TRY(t.Execute("DELETE FROM device_codes WHERE id = $1", id));
    if (state != "approved" || !user_id) return Because(OauthError::kAccessDenied);
    return OauthAnswer(TRY(AddTokens(t, *user_id, client_id, std::nullopt, now)));
  });
}

Result<OauthAnswer> DeviceLogins::Refresh(std::string_view refresh_token, std::string_view client_id) {
  return database_.Write([&](Transaction& t) -> Result<OauthAnswer> {
    const Timestamp now = clock_();
    const auto row = TRY((t.QueryOne<int64_t, int64_t, int64_t, std::string, Timestamp, std::optional<Timestamp>>(
        "SELECT r.id, r.login, t.user_id, n.name, r.expires_at, r.replaced_at FROM refresh_tokens r "
        "JOIN tokens t ON t.id = r.token_id JOIN users u ON u.id = t.user_id JOIN namespaces n ON n.id = t.user_id "
        "WHERE r.digest = $1 AND r.client_id = $2 AND t.revoked_at IS NULL AND NOT u.disabled",
        std::span<const std::byte>(Sha256::Of(refresh_token)), client_id)));
    if (!row) return Because(OauthError::kInvalidGrant);
    const auto& [id, login, user_id, user, expires_at, replaced_at] = *row;
    if (expires_at <= now) return Because(OauthError::kInvalidGrant);
    if (replaced_at && now - *replaced_at > kRefreshGrace) {
      TRY(
          t.Execute("UPDATE tokens SET revoked_at = $1 WHERE revoked_at IS NULL AND id IN "
                    "(SELECT token_id FROM refresh_tokens WHERE login = $2)",
                    now, login));
      TRY(Record(t, now, Cause{}, AuditAction::kRefreshTokenReused, user, client_id));
      return Because(OauthError::kInvalidGrant);
    }
    TRY(t.Execute("UPDATE refresh_tokens SET replaced_at = COALESCE(replaced_at, $1) WHERE id = $2", now, id));
    return OauthAnswer(TRY(AddTokens(t, user_id, client_id, login, now)));
  });
}

}  // namespace bothy
