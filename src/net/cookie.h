// Cookies (RFC 6265): what browsers send back, and what they are told to keep.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/headers.h"

namespace bothy::net {

// The value of the first cookie of that name: of several the browser puts the one for the longest path first.
std::optional<std::string_view> FindCookie(const Headers& headers, std::string_view name);

// What may be a cookie's value: visible ASCII but quotes, commas, semicolons and backslashes; all of base64url.
bool IsCookieValue(std::string_view text);

struct Cookie {
  enum class SameSite { kStrict, kLax, kNone };

  std::string name;                             // a token
  std::string value;                            // IsCookieValue; PercentEncode what may not be
  std::optional<std::chrono::seconds> max_age;  // none: until the browser ends; 0: it is forgotten at once
  std::string path = "/";
  bool secure = true;  // sent by https only; must be false where clients come by http
  bool http_only = true;
  SameSite same_site = SameSite::kLax;  // kNone needs `secure`
};

// The value of a Set-Cookie field; Add it, for each cookie has a field of its own. A name, value or path that would
// break it is a programmer's error.
std::string SetCookie(const Cookie& cookie);

}  // namespace bothy::net
