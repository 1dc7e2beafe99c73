// The session of who looks at a page: a cookie, and what forms carry besides it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/route.h"
#include "hub/sessions.h"

namespace bothy::api {

struct WebSession {
  std::string secret;
  Actor actor;

  std::string csrf_token() const { return CsrfToken(secret); }
};

// Of the request's cookie; nothing where there is none that is good.
Result<std::optional<WebSession>> FindSession(Call& call);

// The cookie for a session that has begun.
void SetSession(const net::Request& request, std::string_view secret, Response& response);
// Ends it, here and in the browser.
Result<void> EndSession(Call& call, const WebSession& session, Response& response);

}  // namespace bothy::api
