// A line of the log for each request.
#pragma once

#include "net/server.h"

namespace bothy::net {

// For ServerOptions::access_log:
//
//   ... info request id=8f0c actor=ann remote=10.0.0.9 method=GET path=/x status=200 in=312 out=540 ms=1.8
//   complete=true
//
// `actor` is "-" where nobody is known.
void LogAccess(const AccessRecord& record);

}  // namespace bothy::net
