// The first half of a push: the refs that it begins from. The route is that of a fetch too.
#pragma once

#include "api/route.h"

namespace bothy::api {

inline constexpr std::string_view kPushService = "git-receive-pack";

net::Task<Response> AdvertisePush(Call& call);

}  // namespace bothy::api
