#include "api/upstream_refusal.h"

namespace bothy::api {
namespace {

// Clients that come again without being told would come at once.
constexpr std::string_view kRetryAfter = "5";

}  // namespace

net::Response RefuseForUpstream(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
      return Refuse(net::Status::kServiceUnavailable, "", error.message).With("Retry-After", kRetryAfter);
    case ErrorCode::kCorrupt:
    case ErrorCode::kNotFound:
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnauthenticated: return Refuse(net::Status::kBadGateway, "", error.message);
    default: return Refuse(error, "");
  }
}

}  // namespace bothy::api
