// What a client is told when another hub stands in the way.
#pragma once

#include "api/answer.h"

namespace bothy::api {

// 503 where it may go better soon, 502 where the other hub answers what cannot be right.
net::Response RefuseForUpstream(const Error& error);

}  // namespace bothy::api
