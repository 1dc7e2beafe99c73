#include "net/cookie.h"

#include <fmt/format.h>

#include <algorithm>

namespace bothy::net {

std::optional<std::string_view> FindCookie(const Headers& headers, std::string_view name) {
  for (std::string_view field : headers.FindAll("Cookie")) {
    while (!field.empty()) {
      const std::string_view pair = field.substr(0, field.find(';'));
      field.remove_prefix(std::min(pair.size() + 1, field.size()));
      const size_t equals = pair.find('=');
      if (equals == std::string_view::npos || TrimSpaces(pair.substr(0, equals)) != name) continue;
      std::string_view value = TrimSpaces(pair.substr(equals + 1));
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      return value;
    }
  }
  return std::nullopt;
}

bool IsCookieValue(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return c > ' ' && c < 0x7f && std::string_view("\",;\\").find(c) == std::string_view::npos; });
}

std::string SetCookie(const Cookie& cookie) {
  CHECK(IsToken(cookie.name) && IsCookieValue(cookie.value) && IsCookieValue(cookie.path));
  CHECK(cookie.secure || cookie.same_site != Cookie::SameSite::kNone);
  std::string text = fmt::format("{}={}; Path={}", cookie.name, cookie.value, cookie.path);
  if (cookie.max_age) text += fmt::format("; Max-Age={}", cookie.max_age->count());
  if (cookie.secure) text += "; Secure";
  if (cookie.http_only) text += "; HttpOnly";
  switch (cookie.same_site) {
    case Cookie::SameSite::kStrict: return text + "; SameSite=Strict";
    case Cookie::SameSite::kLax: return text + "; SameSite=Lax";
    case Cookie::SameSite::kNone: return text + "; SameSite=None";
  }
  return text;
}

}  // namespace bothy::net
