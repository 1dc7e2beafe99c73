// Users: made, found, logged in by their password, closed, deleted.
#pragma once

#include <cstdint>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/secrets.h"
#include "hub/audit_log.h"
#include "hub/clock.h"
#include "hub/rate_limit.h"
#include "store/database/database.h"

namespace bothy {

inline constexpr size_t kMinPasswordBytes = 8;          // NIST SP 800-63B; the most is kMaxPasswordBytes
inline constexpr size_t kGeneratedPasswordLength = 20;  // 119 bits
inline constexpr size_t kMaxEmailBytes = 254;           // RFC 5321

// Failed logins in a quarter of an hour, of one name and from one address: then both wait for the next quarter.
inline constexpr int64_t kMaxFailedLogins = 50;
inline constexpr std::chrono::minutes kFailedLoginWindow{15};

struct User {
  int64_t id = 0;  // also of the namespace
  std::string name;
  std::string full_name;
  std::optional<std::string> email;
  bool administrator = false;
  bool disabled = false;
  Timestamp created_at;

  bool operator==(const User&) const = default;
};

struct NewUser {
  std::string name;
  std::string full_name;  // empty: the name
  std::optional<std::string> email;
  std::optional<std::string> password;  // nothing: one is generated
  bool administrator = false;
};

struct CreatedUser {
  User user;
  std::string password;  // the generated one, to be shown once; empty where it was given
};

struct AccountsOptions {
  PasswordCost password_cost;
};

class Accounts {  // Safe to use from several threads.
 public:
  Accounts(Database& database, Clock clock, const AccountsOptions& options = {});

  Result<CreatedUser> Create(const NewUser& user, const Cause& cause);

  // kNotFound where there is none; whatever the case of `name`.
  Result<User> Find(std::string_view name) const;
  Result<User> Find(int64_t id) const;
  // The first `limit` whose id is above `after`, in the order of ids.
  Result<std::vector<User>> List(int64_t after, int64_t limit) const;

  // kUnauthenticated for a name that is not there and for a wrong password alike, in words and in time;
  // kPermissionDenied where the password is right and the user disabled; kResourceExhausted after too many failures.
  // Takes a tenth of a second and 64 MiB, as password_cost says, while no transaction is open.
  Result<User> LogIn(std::string_view name, std::string_view password, std::string_view address);

  // Ends the user's sessions too; tokens stay. kUnauthenticated where `current` is wrong.
  Result<void> ChangePassword(int64_t id, std::string_view current, std::string_view next, const Cause& cause);
  // The same by an administrator, who does not know the current one.
  Result<void> SetPassword(int64_t id, std::string_view next, const Cause& cause);

  // A disabled user can neither log in nor use sessions and tokens; what they own stays.
  Result<void> SetDisabled(int64_t id, bool disabled, const Cause& cause);
  Result<void> SetAdministrator(int64_t id, bool administrator, const Cause& cause);

  // With sessions, tokens and memberships. kFailedPrecondition where the user owns repositories or is an organization's
  // only admin.
  Result<void> Delete(int64_t id, const Cause& cause);

 private:
  Result<std::string> Hash(std::string_view password);
  bool Matches(std::string_view password, const std::string& stored);
  Result<void> StorePassword(int64_t id, const std::optional<std::string>& expected, const std::string& stored,
                             const Cause& cause);

  Database& database_;
  const Clock clock_;
  const PasswordCost cost_;
  const std::string nobodys_password_;  // what a name that is not there is compared with
  RateLimits failures_by_name_, failures_by_address_;
  std::counting_semaphore<> hashing_;
};

}  // namespace bothy
