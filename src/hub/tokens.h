// Access tokens: made, shown once, kept as a hash, taken for an actor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/actor.h"
#include "hub/audit_log.h"
#include "hub/clock.h"
#include "store/database/database.h"

namespace bothy {

std::string_view TokenRoleName(TokenRole role);  // "read", "write", "fineGrained": as whoami-v2 has them
std::optional<TokenRole> FindTokenRole(std::string_view name);

enum class TokenKind : uint8_t {
  kAccess,  // made by hand
  kOauth,   // by the login of a device
};

inline constexpr size_t kMaxTokenNameBytes = 100;
inline constexpr int64_t kMaxTokens = 1000;  // of one user, that are neither revoked nor expired
inline constexpr std::chrono::minutes kLastUsePrecision{1};

struct Token {
  int64_t id = 0;
  int64_t user_id = 0;
  std::string name;
  TokenKind kind = TokenKind::kAccess;
  TokenRole role = TokenRole::kRead;
  TokenScopes scopes;
  Timestamp created_at;
  std::optional<Timestamp> last_used_at;  // to a minute
  std::optional<Timestamp> expires_at;

  bool operator==(const Token&) const = default;
};

struct NewToken {
  int64_t user_id = 0;
  std::string name;
  TokenKind kind = TokenKind::kAccess;
  TokenRole role = TokenRole::kRead;
  TokenScopes scopes;  // of a fine-grained one
  std::optional<Timestamp> expires_at;
};

struct CreatedToken {
  Token token;
  std::string secret;  // "hf_" and 34 letters and digits; nobody can learn it again
};

class Tokens {  // Safe to use from several threads.
 public:
  Tokens(Database& database, Clock clock) : database_(database), clock_(std::move(clock)) {}

  Result<CreatedToken> Create(const NewToken& token, const Cause& cause);

  // Whose it is. kUnauthenticated, always in the same words, where it is unknown, revoked or expired or its user
  // disabled: the clients know these words and do not mistake them for a missing repository.
  Result<Actor> Authenticate(std::string_view secret);

  // Those of a user that are neither revoked nor expired, the newest first.
  Result<std::vector<Token>> List(int64_t user_id) const;
  Result<Token> Find(int64_t token_id) const;

  // Of the user's own. One that a device got by its login goes with all that this login has got.
  Result<void> Revoke(int64_t user_id, int64_t token_id, const Cause& cause);

 private:
  void NoteUse(int64_t token_id, Timestamp now);

  Database& database_;
  const Clock clock_;
};

// Create, in a transaction and without an event.
Result<CreatedToken> AddToken(Transaction& transaction, const NewToken& token, Timestamp now);

}  // namespace bothy
