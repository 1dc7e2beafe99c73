// Which pages of other origins may use the server (Fetch standard, 3.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/request.h"
#include "net/response.h"

namespace bothy::net {

struct CorsOptions {
  std::vector<std::string> origins = {"*"};  // "https://app.example", or "*" for any, which then gets no cookies
  // What a page may read besides the few that it always may.
  std::string exposed_headers =
      "ETag, Link, Content-Length, Content-Range, Accept-Ranges, Location, Retry-After, X-Error-Code, X-Error-Message, "
      "X-Linked-Etag, X-Linked-Size, X-Repo-Commit, X-Request-Id, X-Total-Count, X-Xet-Access-Token, X-Xet-Cas-Url, "
      "X-Xet-Hash, X-Xet-Token-Expiration, RateLimit, RateLimit-Policy";
};

// Adds to an answer what tells the browser that the page may see it; nothing where it may not, or where no page asks.
void AddCorsHeaders(const CorsOptions& options, const Request& request, Response& response);

// Whether a browser asks what a page may do, before it does it.
bool IsPreflight(const Request& request);

// The answer to that. `allow` is the list of methods that the address takes (Router::Match::allow).
Response AnswerPreflight(const CorsOptions& options, const Request& request, std::string_view allow);

}  // namespace bothy::net
