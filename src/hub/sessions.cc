#include "hub/sessions.h"

#include "base/base64.h"
#include "base/log.h"
#include "crypto/secrets.h"
#include "crypto/sha.h"

namespace bothy {
namespace {

constexpr size_t kSecretLength = 43;  // 256 bits
constexpr std::string_view kInvalid = "this session has ended: log in again";

}  // namespace

Result<std::string> Sessions::Begin(int64_t user_id) {
  std::string secret = RandomAlphanumeric(kSecretLength);
  TRY(database_.Write([&](Transaction& t) -> Result<void> {
    const Timestamp now = clock_();
    TRY(t.Execute("DELETE FROM sessions WHERE expires_at <= $1", now));
    TRY(t.Execute("INSERT INTO sessions (user_id, digest, created_at, expires_at) VALUES ($1, $2, $3, $4)", user_id,
                  std::span<const std::byte>(Sha256::Of(secret)), now, now + kSessionLifetime));
    return {};
  }));
  return secret;
}

Result<Actor> Sessions::Authenticate(std::string_view secret) {
  if (secret.size() != kSecretLength) return Fail(ErrorCode::kUnauthenticated, "{}", kInvalid);
  const Timestamp now = clock_();
  auto row = TRY(database_.Read([&](Transaction& t) {
    return t.QueryOne<int64_t, int64_t, std::string, bool, Timestamp>(
        "SELECT s.id, s.user_id, n.name, u.administrator, s.expires_at FROM sessions s "
        "JOIN users u ON u.id = s.user_id JOIN namespaces n ON n.id = s.user_id "
        "WHERE s.digest = $1 AND s.expires_at > $2 AND NOT u.disabled",
        std::span<const std::byte>(Sha256::Of(secret)), now);
  }));
  if (!row) return Fail(ErrorCode::kUnauthenticated, "{}", kInvalid);
  auto& [id, user_id, name, administrator, expires_at] = *row;
  const Timestamp extended = now + kSessionLifetime;
  if (extended - expires_at >= kSessionUsePrecision) Extend(id, extended);
  return Actor{.credential = Actor::Credential::kSession,
               .user_id = user_id,
               .name = std::move(name),
               .administrator = administrator};
}

// A database that cannot be written to now is no reason to refuse a reader.
void Sessions::Extend(int64_t session_id, Timestamp expires_at) {
  const auto extended = database_.Write([&](Transaction& t) {
    return t.Execute("UPDATE sessions SET expires_at = $1 WHERE id = $2 AND expires_at < $1", expires_at, session_id);
  });
  if (!extended) Log(LogLevel::kWarning, "session_not_extended", {{"id", session_id}, {"error", extended.error()}});
}

Result<void> Sessions::End(std::string_view secret) {
  TRY(database_.Write([&](Transaction& t) {
    return t.Execute("DELETE FROM sessions WHERE digest = $1", std::span<const std::byte>(Sha256::Of(secret)));
  }));
  return {};
}

Result<void> Sessions::EndAll(int64_t user_id) {
  TRY(database_.Write([&](Transaction& t) { return t.Execute("DELETE FROM sessions WHERE user_id = $1", user_id); }));
  return {};
}

std::string CsrfToken(std::string_view session_secret) {
  return EncodeBase64Url(
      HmacSha256(std::as_bytes(std::span(session_secret)), std::as_bytes(std::span(std::string_view("csrf")))));
}

bool CsrfTokenMatches(std::string_view session_secret, std::string_view token) {
  return SecretsEqual(CsrfToken(session_secret), token);
}

}  // namespace bothy
