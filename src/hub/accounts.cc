#include "hub/accounts.h"

#include <algorithm>

#include "hub/names.h"
#include "hub/namespaces.h"

namespace bothy {
namespace {

// At once: 64 MiB each.
constexpr int kMaxHashing = 4;

constexpr std::string_view kWrongPassword = "wrong name or password";

Result<void> CheckPassword(std::string_view password) {
  if (password.size() < kMinPasswordBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a password has at least {} bytes, this has {}", kMinPasswordBytes,
                password.size());
  }
  return {};
}

Result<void> CheckEmail(std::string_view email) {
  const size_t at = email.find('@');
  const bool printable = std::ranges::all_of(email, [](char c) { return static_cast<unsigned char>(c) > ' '; });
  if (email.size() > kMaxEmailBytes || !printable || at == 0 || at == std::string_view::npos ||
      at + 1 == email.size()) {
    return Fail(ErrorCode::kInvalidArgument, "this is no address for mail");
  }
  return {};
}

Statement SelectUsers() {
  return Statement(
      "SELECT n.id, n.name, n.full_name, u.email, u.administrator, u.disabled, n.created_at "
      "FROM users u JOIN namespaces n ON n.id = u.id WHERE TRUE");
}

Result<std::vector<User>> QueryUsers(Transaction& t, const Statement& statement) {
  std::vector<User> users;
  for (auto& [id, name, full_name, email, administrator, disabled, created_at] : TRY((
           t.Query<int64_t, std::string, std::string, std::optional<std::string>, bool, bool, Timestamp>(statement)))) {
    users.push_back({id, std::move(name), std::move(full_name), std::move(email), administrator, disabled, created_at});
  }
  return users;
}

Result<User> TheUser(Transaction& t, const Statement& statement) {
  std::vector<User> users = TRY(QueryUsers(t, statement));
  if (users.empty()) return Fail(ErrorCode::kNotFound, "there is no such user");
  return std::move(users.front());
}

Result<User> UserById(Transaction& t, int64_t id) { return TheUser(t, SelectUsers().Add(" AND n.id = $1", id)); }

Result<User> UserByName(Transaction& t, std::string_view name) {
  return TheUser(t, SelectUsers().Add(" AND n.key = $1", NameKey(name)));
}

Result<void> EndSessions(Transaction& t, int64_t user_id) {
  TRY(t.Execute("DELETE FROM sessions WHERE user_id = $1", user_id));
  return {};
}

// Empty where there is no memory for it: then no login succeeds anyway.
std::string PasswordOfNobody(const PasswordCost& cost) {
  return HashPassword(RandomAlphanumeric(kGeneratedPasswordLength), cost).value_or("");
}

RateLimitPolicy FailurePolicy() { return {.name = "login", .quota = kMaxFailedLogins, .window = kFailedLoginWindow}; }

}  // namespace

Accounts::Accounts(Database& database, Clock clock, const AccountsOptions& options)
    : database_(database),
      clock_(std::move(clock)),
      cost_(options.password_cost),
      nobodys_password_(PasswordOfNobody(cost_)),
      failures_by_name_(FailurePolicy(), clock_),
      failures_by_address_(FailurePolicy(), clock_),
      hashing_(kMaxHashing) {}

Result<std::string> Accounts::Hash(std::string_view password) {
  TRY(CheckPassword(password));
  hashing_.acquire();
  auto stored = HashPassword(password, cost_);
  hashing_.release();
  return stored;
}

bool Accounts::Matches(std::string_view password, const std::string& stored) {
  hashing_.acquire();
  const bool matches = PasswordMatches(password, stored);
  hashing_.release();
  return matches;
}

Result<CreatedUser> Accounts::Create(const NewUser& user, const Cause& cause) {
  TRY(CheckNamespaceName(user.name));  // before the costly hash
  if (user.email) TRY(CheckEmail(*user.email));
  CreatedUser created;
  if (!user.password) created.password = RandomAlphanumeric(kGeneratedPasswordLength);
  const std::string stored = TRY(Hash(user.password ? *user.password : created.password));
  created.user = TRY(database_.Write([&](Transaction& t) -> Result<User> {
    const Timestamp now = clock_();
    const Namespace added = TRY(AddNamespace(t, user.name, NamespaceKind::kUser, user.full_name, now));
    TRY(t.Execute("INSERT INTO users (id, email, password, administrator, disabled) VALUES ($1, $2, $3, $4, FALSE)",
                  added.id, user.email, stored, user.administrator));
    TRY(Record(t, now, cause, AuditAction::kUserCreated, added.name, user.administrator ? "administrator" : ""));
    return UserById(t, added.id);
  }));
  return created;
}

Result<User> Accounts::Find(std::string_view name) const {
  return database_.Read([&](Transaction& t) { return UserByName(t, name); });
}

Result<User> Accounts::Find(int64_t id) const {
  return database_.Read([&](Transaction& t) { return UserById(t, id); });
}

Result<std::vector<User>> Accounts::List(int64_t after, int64_t limit) const {
  return database_.Read([&](Transaction& t) {
    return QueryUsers(t, SelectUsers().Add(" AND n.id > $1 ORDER BY n.id LIMIT $2", after, limit));
  });
}

Result<User> Accounts::LogIn(std::string_view name, std::string_view password, std::string_view address) {
  // Counted first and given back on success: of many guesses at once, none may slip by.
  const std::string name_key = NameKey(name), address_key = AddressKey(address);
  for (const Allowance& allowance : {failures_by_name_.Take(name_key), failures_by_address_.Take(address_key)}) {
    if (!allowance.allowed) {
      return Fail(ErrorCode::kResourceExhausted, "too many failed logins: try again in {} seconds",
                  allowance.reset.count());
    }
  }
  struct Stored {
    std::optional<User> user;
    std::string password;
  };
  const Stored stored = TRY(database_.Read([&](Transaction& t) -> Result<Stored> {
    auto user = UserByName(t, name);
    if (!user) {
      if (user.error().code != ErrorCode::kNotFound) return tl::unexpected<Error>(std::move(user).error());
      return Stored{std::nullopt, nobodys_password_};
    }
    auto hash = TRY(t.QueryOne<std::string>("SELECT password FROM users WHERE id = $1", user->id));
    return Stored{*std::move(user), std::move(hash).value_or("")};
  }));
  const bool matches = Matches(password, stored.password);
  if (!stored.user || !matches || stored.user->disabled) {
    // The name is kept only where it is a user's: people type passwords into the wrong field.
    TRY(database_.Write([&](Transaction& t) {
      return Record(t, clock_(), Cause{0, "", std::string(address)}, AuditAction::kLoginFailed,
                    stored.user ? stored.user->name : "", stored.user && matches ? "disabled" : "");
    }));
    if (stored.user && matches) return Fail(ErrorCode::kPermissionDenied, "this account is disabled");
    return Fail(ErrorCode::kUnauthenticated, "{}", kWrongPassword);
  }
  failures_by_name_.GiveBack(name_key);
  failures_by_address_.GiveBack(address_key);
  std::optional<std::string> rehashed;
  if (PasswordNeedsRehash(stored.password, cost_)) rehashed = TRY(Hash(password));
  TRY(database_.Write([&](Transaction& t) -> Result<void> {
    if (rehashed) {
      TRY(t.Execute("UPDATE users SET password = $1 WHERE id = $2 AND password = $3", *rehashed, stored.user->id,
                    stored.password));
    }
    const Cause cause = {stored.user->id, stored.user->name, std::string(address)};
    return Record(t, clock_(), cause, AuditAction::kLogin, stored.user->name);
  }));
  return *stored.user;
}

Result<void> Accounts::ChangePassword(int64_t id, std::string_view current, std::string_view next, const Cause& cause) {
  const User user = TRY(Find(id));
  const std::string name_key = NameKey(user.name);
  if (const Allowance allowance = failures_by_name_.Take(name_key); !allowance.allowed) {
    return Fail(ErrorCode::kResourceExhausted, "too many wrong passwords: try again in {} seconds",
                allowance.reset.count());
  }
  const auto stored = TRY(database_.Read(
      [&](Transaction& t) { return t.QueryOne<std::string>("SELECT password FROM users WHERE id = $1", id); }));
  if (!stored || !Matches(current, *stored)) {
    return Fail(ErrorCode::kUnauthenticated, "the current password is wrong");
  }
  failures_by_name_.GiveBack(name_key);
  return StorePassword(id, stored, TRY(Hash(next)), cause);
}

Result<void> Accounts::SetPassword(int64_t id, std::string_view next, const Cause& cause) {
  return StorePassword(id, std::nullopt, TRY(Hash(next)), cause);
}

Result<void> Accounts::StorePassword(int64_t id, const std::optional<std::string>& expected, const std::string& stored,
                                     const Cause& cause) {
  return database_.Write([&](Transaction& t) -> Result<void> {
    const User user = TRY(UserById(t, id));
    Statement update("UPDATE users SET password = $1 WHERE id = $2", stored, id);
    if (expected) update.Add(" AND password = $1", *expected);
    if (TRY(t.Execute(update)) == 0) {
      return Fail(ErrorCode::kUnauthenticated, "the current password is wrong");  // it was changed meanwhile
    }
    TRY(EndSessions(t, id));
    return Record(t, clock_(), cause, AuditAction::kPasswordChanged, user.name);
  });
}

Result<void> Accounts::SetDisabled(int64_t id, bool disabled, const Cause& cause) {
  return database_.Write([&](Transaction& t) -> Result<void> {
    const User user = TRY(UserById(t, id));
    if (user.disabled == disabled) return {};
    TRY(t.Execute("UPDATE users SET disabled = $1 WHERE id = $2", disabled, id));
    if (disabled) TRY(EndSessions(t, id));
    return Record(t, clock_(), cause, disabled ? AuditAction::kUserDisabled : AuditAction::kUserEnabled, user.name);
  });
}

Result<void> Accounts::SetAdministrator(int64_t id, bool administrator, const Cause& cause) {
  return database_.Write([&](Transaction& t) -> Result<void> {
    const User user = TRY(UserById(t, id));
    if (user.administrator == administrator) return {};
    TRY(t.Execute("UPDATE users SET administrator = $1 WHERE id = $2", administrator, id));
    return Record(t, clock_(), cause,
                  administrator ? AuditAction::kAdministratorMade : AuditAction::kAdministratorUnmade, user.name);
  });
}

Result<void> Accounts::Delete(int64_t id, const Cause& cause) {
  return database_.Write([&](Transaction& t) -> Result<void> {
    const User user = TRY(UserById(t, id));
    const auto orphans = TRY(t.Query<std::string>(
        "SELECT n.name FROM memberships m JOIN namespaces n ON n.id = m.organization_id "
        "WHERE m.user_id = $1 AND m.role = 'admin' AND NOT EXISTS (SELECT 1 FROM memberships other "
        "WHERE other.organization_id = m.organization_id AND other.role = 'admin' AND other.user_id <> $1) LIMIT 1",
        id));
    if (!orphans.empty()) {
      return Fail(ErrorCode::kFailedPrecondition, "\"{}\" is the only admin of \"{}\"", user.name, orphans.front());
    }
    TRY(RemoveNamespace(t, {.id = id, .name = user.name}));
    return Record(t, clock_(), cause, AuditAction::kUserDeleted, user.name);
  });
}

}  // namespace bothy
