#include "net/cors.h"

#include <algorithm>

namespace bothy::net {

void AddCorsHeaders(const CorsOptions& options, const Request& request, Response& response) {
  const auto origin = request.headers.Find("Origin");
  if (!origin) return;
  const bool any = std::ranges::find(options.origins, "*") != options.origins.end();
  const bool named = std::ranges::find(options.origins, *origin) != options.origins.end();
  // Caches must not hand one page's answer to another's.
  response.headers.Add("Vary", "Origin");
  if (!any && !named) return;
  response.headers.Set("Access-Control-Allow-Origin", named ? *origin : "*");
  if (named) response.headers.Set("Access-Control-Allow-Credentials", "true");
  response.headers.Set("Access-Control-Expose-Headers", options.exposed_headers);
}

bool IsPreflight(const Request& request) {
  return request.method == Method::kOptions && request.headers.Has("Origin") &&
         request.headers.Has("Access-Control-Request-Method");
}

Response AnswerPreflight(const CorsOptions& options, const Request& request, std::string_view allow) {
  Response response(Status::kNoContent);
  AddCorsHeaders(options, request, response);
  response.headers.Remove("Access-Control-Expose-Headers");
  if (!response.headers.Has("Access-Control-Allow-Origin")) return response;
  response.headers.Set("Access-Control-Allow-Methods", allow);
  // Whatever it asks for: which headers a page sends decides nothing here. "*" would leave Authorization out.
  if (const auto asked = request.headers.Find("Access-Control-Request-Headers")) {
    response.headers.Set("Access-Control-Allow-Headers", *asked);
  }
  response.headers.Set("Access-Control-Max-Age", "7200");  // the longest that Chromium keeps it
  return response;
}

}  // namespace bothy::net
