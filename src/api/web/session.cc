#include "api/web/session.h"

#include "net/cookie.h"

namespace bothy::api {
namespace {

bool IsSecure(const net::Request& request) { return request.base_url.starts_with("https://"); }

// The prefix makes browsers refuse such a cookie from other hosts of the domain, and by http (RFC 6265bis, 4.1.3.2).
std::string_view CookieName(const net::Request& request) {
  return IsSecure(request) ? "__Host-bothy-session" : "bothy-session";
}

net::Cookie SessionCookie(const net::Request& request, std::string_view value, std::chrono::seconds max_age) {
  return {.name = std::string(CookieName(request)),
          .value = std::string(value),
          .max_age = max_age,
          .secure = IsSecure(request)};
}

}  // namespace

Result<std::optional<WebSession>> FindSession(Call& call) {
  const auto secret = net::FindCookie(call.request.headers, CookieName(call.request));
  if (!secret) return std::nullopt;
  auto actor = call.hub().sessions().Authenticate(*secret);
  if (!actor && actor.error().code == ErrorCode::kUnauthenticated) return std::nullopt;
  return WebSession{std::string(*secret), TRY(std::move(actor))};
}

void SetSession(const net::Request& request, std::string_view secret, Response& response) {
  response.headers.Add("Set-Cookie", net::SetCookie(SessionCookie(request, secret, kSessionLifetime)));
}

Result<void> EndSession(Call& call, const WebSession& session, Response& response) {
  TRY(call.hub().sessions().End(session.secret));
  response.headers.Add("Set-Cookie", net::SetCookie(SessionCookie(call.request, "", std::chrono::seconds(0))));
  return {};
}

}  // namespace bothy::api
