// Who may use the routes of Xet's storage.
#pragma once

#include "api/route.h"
#include "hub/xet_grants.h"

namespace bothy::api {

// Where clients find them, below the hub's address.
inline constexpr std::string_view kXetPrefix = "/xet";

// The grant of the Authorization field; a refusal where there is none, or it is not enough.
tl::expected<XetGrant, Response> NeedXetGrant(Call& call, bool write);

// A hash in an address; kInvalidArgument where it is none.
Result<xet::Hash> HashOf(const Call& call);

}  // namespace bothy::api
