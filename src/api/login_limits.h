// How often somebody may begin the login of a device, and guess the code that it shows (RFC 8628, section 5.1). Wrong
// passwords are counted by Accounts.
#pragma once

#include <chrono>

#include "hub/rate_limit.h"

namespace bothy::api {

inline constexpr std::chrono::minutes kLoginWindow{15};
// The devices behind one address: a hundred such addresses can use up kMaxDeviceCodes.
inline constexpr int64_t kMaxDeviceLogins = 100;
// Of a user: with all of kMaxDeviceCodes waiting, one of 2.5 million guesses meets one.
inline constexpr int64_t kMaxWrongCodes = 20;

struct LoginLimits {
  explicit LoginLimits(const Clock& clock)
      : devices({.name = "devices", .quota = kMaxDeviceLogins, .window = kLoginWindow}, clock),
        wrong_codes({.name = "codes", .quota = kMaxWrongCodes, .window = kLoginWindow}, clock) {}

  RateLimits devices;      // by address
  RateLimits wrong_codes;  // by user
};

}  // namespace bothy::api
