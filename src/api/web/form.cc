#include "api/web/form.h"

#include "net/media_type.h"

namespace bothy::api {

Result<net::QueryParameters> ParseForm(const Call& call) {
  const auto type = net::MediaType::Parse(call.request.headers.Find("Content-Type").value_or(""));
  if (!type || type->essence != "application/x-www-form-urlencoded") {
    return Fail(ErrorCode::kInvalidArgument, "application/x-www-form-urlencoded was expected");
  }
  return net::QueryParameters::Parse(call.body);
}

bool IsSentByOwnPage(const net::Request& request) {
  // First, because it is right behind proxies that do not tell the address by which the hub is known.
  if (const auto site = request.headers.Find("Sec-Fetch-Site")) return *site == "same-origin";
  const auto origin = request.headers.Find("Origin");
  return !origin || *origin == request.base_url;
}

}  // namespace bothy::api
