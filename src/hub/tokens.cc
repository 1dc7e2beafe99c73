#include "hub/tokens.h"

#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "crypto/secrets.h"
#include "crypto/sha.h"

namespace bothy {
namespace {

constexpr std::string_view kPrefix = "hf_";  // the JavaScript client refuses others
constexpr size_t kRandomLength = 34;
constexpr std::string_view kInvalid = "Invalid credentials in Authorization header";

constexpr std::string_view kRoleNames[] = {"read", "write", "fineGrained"};  // as TokenRole
constexpr std::string_view kKindNames[] = {"access", "oauth"};               // as TokenKind

Result<void> Check(const NewToken& token) {
  if (token.name.empty() || token.name.size() > kMaxTokenNameBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a token's name has 1 to {} bytes, this has {}", kMaxTokenNameBytes,
                token.name.size());
  }
  if (token.scopes.scoped.size() > kMaxTokenScopes) {
    return Fail(ErrorCode::kInvalidArgument, "a token has at most {} scopes, this has {}", kMaxTokenScopes,
                token.scopes.scoped.size());
  }
  if (token.role != TokenRole::kFineGrained && token.scopes != TokenScopes{}) {
    return Fail(ErrorCode::kInvalidArgument, "only a fine-grained token has scopes");
  }
  return {};
}

Result<TokenRole> StoredRole(std::string_view name) {
  const auto role = FindTokenRole(name);
  if (!role) return Fail(ErrorCode::kCorrupt, "the database holds an unknown token role: \"{}\"", name);
  return *role;
}

Result<std::vector<Token>> QueryTokens(Transaction& t, const Statement& statement) {
  std::vector<Token> tokens;
  for (auto& [id, user_id, name, kind, role, scopes, created_at, last_used_at, expires_at] :
       TRY((t.Query<int64_t, int64_t, std::string, std::string, std::string, std::string, Timestamp,
                    std::optional<Timestamp>, std::optional<Timestamp>>(statement)))) {
    tokens.push_back(
        {id, user_id, std::move(name),
         kind == kKindNames[static_cast<size_t>(TokenKind::kOauth)] ? TokenKind::kOauth : TokenKind::kAccess,
         TRY(StoredRole(role)), TRY(ReadTokenScopes(scopes)), created_at, last_used_at, expires_at});
  }
  return tokens;
}

Statement SelectTokens() {
  return Statement(
      "SELECT id, user_id, name, kind, role, scopes, created_at, last_used_at, expires_at FROM tokens "
      "WHERE revoked_at IS NULL");
}

}  // namespace

std::string_view TokenRoleName(TokenRole role) { return kRoleNames[static_cast<size_t>(role)]; }

std::optional<TokenRole> FindTokenRole(std::string_view name) {
  const auto found = std::ranges::find(kRoleNames, name);
  if (found == std::end(kRoleNames)) return std::nullopt;
  return static_cast<TokenRole>(found - std::begin(kRoleNames));
}

Result<CreatedToken> AddToken(Transaction& transaction, const NewToken& token, Timestamp now) {
  TRY(Check(token));
  const auto live = TRY(transaction.QueryOne<int64_t>(
      "SELECT COUNT(*) FROM tokens WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > "
      "$2)",
      token.user_id, now));
  if (live >= kMaxTokens) {
    return Fail(ErrorCode::kResourceExhausted, "{} tokens are the most that one user has: revoke some", kMaxTokens);
  }
  CreatedToken created;
  created.secret = fmt::format("{}{}", kPrefix, RandomAlphanumeric(kRandomLength));
  const auto id = TRY(transaction.QueryOne<int64_t>(
      "INSERT INTO tokens (user_id, name, kind, digest, role, scopes, created_at, expires_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
      token.user_id, token.name, kKindNames[static_cast<size_t>(token.kind)],
      std::span<const std::byte>(Sha256::Of(created.secret)), TokenRoleName(token.role),
      token.role == TokenRole::kFineGrained ? WriteTokenScopes(token.scopes) : "{}", now, token.expires_at));
  created.token = {id.value_or(0), token.user_id, token.name, token.kind,      token.role,
                   token.scopes,   now,           {},         token.expires_at};
  return created;
}

Result<CreatedToken> Tokens::Create(const NewToken& token, const Cause& cause) {
  return database_.Write([&](Transaction& t) -> Result<CreatedToken> {
    const Timestamp now = clock_();
    CreatedToken created = TRY(AddToken(t, token, now));
    TRY(Record(t, now, cause, AuditAction::kTokenCreated, token.name, TokenRoleName(token.role)));
    return created;
  });
}

Result<Actor> Tokens::Authenticate(std::string_view secret) {
  if (secret.size() != kPrefix.size() + kRandomLength || !secret.starts_with(kPrefix)) {
    return Fail(ErrorCode::kUnauthenticated, "{}", kInvalid);
  }
  const Timestamp now = clock_();
  auto row = TRY(database_.Read([&](Transaction& t) {
    return t.QueryOne<int64_t, int64_t, std::string, bool, std::string, std::string, std::optional<Timestamp>>(
        "SELECT t.id, t.user_id, n.name, u.administrator, t.role, t.scopes, t.last_used_at FROM tokens t "
        "JOIN users u ON u.id = t.user_id JOIN namespaces n ON n.id = t.user_id WHERE t.digest = $1 "
        "AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2) AND NOT u.disabled",
        std::span<const std::byte>(Sha256::Of(secret)), now);
  }));
  if (!row) return Fail(ErrorCode::kUnauthenticated, "{}", kInvalid);
  auto& [id, user_id, name, administrator, role, scopes, last_used_at] = *row;
  Actor actor = {.credential = Actor::Credential::kToken,
                 .user_id = user_id,
                 .name = std::move(name),
                 .administrator = administrator,
                 .token_id = id,
                 .token_role = TRY(StoredRole(role)),
                 .scopes = TRY(ReadTokenScopes(scopes))};
  if (!last_used_at || now - *last_used_at >= kLastUsePrecision) NoteUse(id, now);
  return actor;
}

// A database that cannot be written to now is no reason to refuse a reader.
void Tokens::NoteUse(int64_t token_id, Timestamp now) {
  const auto noted = database_.Write([&](Transaction& t) {
    return t.Execute(
        "UPDATE tokens SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)", now,
        token_id);
  });
  if (!noted) Log(LogLevel::kWarning, "token_use_not_noted", {{"id", token_id}, {"error", noted.error()}});
}

Result<std::vector<Token>> Tokens::List(int64_t user_id) const {
  return database_.Read([&](Transaction& t) {
    return QueryTokens(
        t, SelectTokens().Add(" AND user_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY id DESC LIMIT $3",
                              user_id, clock_(), kMaxTokens));
  });
}

Result<Token> Tokens::Find(int64_t token_id) const {
  auto tokens =
      TRY(database_.Read([&](Transaction& t) { return QueryTokens(t, SelectTokens().Add(" AND id = $1", token_id)); }));
  if (tokens.empty()) return Fail(ErrorCode::kNotFound, "there is no such token");
  return std::move(tokens.front());
}

Result<void> Tokens::Revoke(int64_t user_id, int64_t token_id, const Cause& cause) {
  return database_.Write([&](Transaction& t) -> Result<void> {
    const auto name = TRY(t.QueryOne<std::string>(
        "SELECT name FROM tokens WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL", token_id, user_id));
    if (!name) return Fail(ErrorCode::kNotFound, "there is no such token");
    const Timestamp now = clock_();
    TRY(t.Execute(
        "UPDATE tokens SET revoked_at = $1 WHERE revoked_at IS NULL AND (id = $2 OR id IN "
        "(SELECT other.token_id FROM refresh_tokens mine JOIN refresh_tokens other ON other.login = mine.login "
        "WHERE mine.token_id = $2))",
        now, token_id));
    return Record(t, now, cause, AuditAction::kTokenRevoked, *name);
  });
}

}  // namespace bothy
