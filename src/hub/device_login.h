// Logging a device in by a browser: `hf auth login` shows a short code, its user confirms it on the web, and the device
// gets an access token and one to renew it with (RFC 8628, RFC 6749 section 6).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hub/actor.h"
#include "hub/audit_log.h"
#include "hub/clock.h"
#include "store/database/database.h"

namespace bothy {

inline constexpr std::chrono::minutes kDeviceCodeLifetime{15};
inline constexpr std::chrono::seconds kDevicePollInterval{5};  // and as much more for each poll that comes too early
// huggingface_hub renews a token in the last day of its life, so this is also how long an idle device stays logged in.
inline constexpr std::chrono::days kDeviceTokenLifetime{30};
inline constexpr std::chrono::days kRefreshTokenLifetime{90};
// A refresh token works again for so long after it was used: the answer may have been lost on its way.
inline constexpr std::chrono::minutes kRefreshGrace{1};
inline constexpr int64_t kMaxDeviceCodes = 10'000;  // that wait at the same time
inline constexpr size_t kMaxClientIdBytes = 200;
inline constexpr size_t kMaxOauthScopeBytes = 1000;

struct DeviceCode {
  std::string device_code;  // the device's secret
  std::string user_code;    // "BCDF-GHJK", for people
  std::chrono::seconds expires_in{kDeviceCodeLifetime};
  std::chrono::seconds interval{kDevicePollInterval};
};

// What the page that confirms a login shows.
struct DeviceRequest {
  std::string user_code;
  std::string client_id;
  std::string scope;
  Timestamp created_at;
};

enum class OauthError : uint8_t {
  kAuthorizationPending,
  kSlowDown,
  kExpiredToken,
  kAccessDenied,
  kInvalidGrant,  // the refresh token
};
std::string_view OauthErrorName(OauthError error);  // "authorization_pending"

struct OauthTokens {
  std::string access_token;
  std::string refresh_token;
  std::chrono::seconds expires_in{0};
};

// Either tokens or why there are none: neither is a failure of the hub.
using OauthAnswer = tl::expected<OauthTokens, OauthError>;

class DeviceLogins {  // Safe to use from several threads.
 public:
  DeviceLogins(Database& database, Clock clock) : database_(database), clock_(std::move(clock)) {}

  // kResourceExhausted while too many others wait.
  Result<DeviceCode> Begin(std::string_view client_id, std::string_view scope);

  // By the code as people type it: in either case, with or without the "-". kNotFound where none such waits.
  Result<DeviceRequest> Find(std::string_view user_code) const;
  // By somebody with the right kManageAccount. The device gets a token that may write.
  Result<void> Approve(std::string_view user_code, const Actor& actor, std::string_view address);
  Result<void> Deny(std::string_view user_code, const Actor& actor, std::string_view address);

  // The device asks whether it is done.
  Result<OauthAnswer> Poll(std::string_view device_code, std::string_view client_id);

  // A new pair of tokens. The former access token stays until it expires, because other processes of the device may
  // have it. A refresh token that is used again after its grace has been stolen: everything that came of its login is
  // revoked.
  Result<OauthAnswer> Refresh(std::string_view refresh_token, std::string_view client_id);

 private:
  Result<void> Decide(std::string_view user_code, const Actor& actor, std::string_view address, bool approved);

  Database& database_;
  const Clock clock_;
};

}  // namespace bothy
