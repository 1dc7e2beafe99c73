// A large file of a mirror that is not here yet, given out while it comes.
#pragma once

#include "api/route.h"

namespace bothy::api {

// Answers like net::ServeContent. A GET has it fetched from the other hub, and is answered when the first of what was
// asked for is there; what is wrong by then is a refusal. Null where it has come by now: look again.
net::Task<Result<std::unique_ptr<Response>>> ServeArriving(Service& service, const net::Request& request,
                                                           Repository mirror, git::Pointer pointer,
                                                           std::string_view media_type);

}  // namespace bothy::api
