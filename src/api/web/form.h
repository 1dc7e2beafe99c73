// The fields of an HTML form, or of a client that sends the same, from a body that was taken whole.
#pragma once

#include "api/route.h"

namespace bothy::api {

inline constexpr uint64_t kMaxFormBytes = 16 << 10;

// kInvalidArgument for another content type or malformed escapes.
Result<net::QueryParameters> ParseForm(const Call& call);

// Whether a page of this hub sent the form: browsers say where one comes from, in Sec-Fetch-Site or at least in Origin.
// Clients that say neither are no browsers and carry nobody's cookies.
bool IsSentByOwnPage(const net::Request& request);

}  // namespace bothy::api
