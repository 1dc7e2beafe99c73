// Logins on the web: a random secret in a cookie, kept as a hash.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "hub/actor.h"
#include "hub/clock.h"
#include "store/database/database.h"

namespace bothy {

inline constexpr std::chrono::days kSessionLifetime{14};      // since it was last used
inline constexpr std::chrono::hours kSessionUsePrecision{1};  // how often a use is written down

class Sessions {  // Safe to use from several threads.
 public:
  Sessions(Database& database, Clock clock) : database_(database), clock_(std::move(clock)) {}

  // The secret for the cookie, of a user whose password was right.
  Result<std::string> Begin(int64_t user_id);

  // kUnauthenticated where it is unknown, ended or expired, or its user disabled.
  Result<Actor> Authenticate(std::string_view secret);

  Result<void> End(std::string_view secret);
  Result<void> EndAll(int64_t user_id);

 private:
  void Extend(int64_t session_id, Timestamp expires_at);

  Database& database_;
  const Clock clock_;
};

// What a form or a request of this session must carry besides the cookie, which a foreign page cannot know.
std::string CsrfToken(std::string_view session_secret);
bool CsrfTokenMatches(std::string_view session_secret, std::string_view token);

}  // namespace bothy
