// Large content as what is sent: parts of the files that hold it.
#pragma once

#include "api/route.h"
#include "net/conditional.h"

namespace bothy::api {

// Writes bytes of a stored file as parts of the blobs that hold them, without passing through memory; at most a few
// files are open at a time.
net::Task<Result<void>> WriteStored(Service& service, xet::Hash hash, net::ByteRange range, net::BodyWriter& body);

}  // namespace bothy::api
