#include "api/git/git_body.h"

namespace bothy::api {
namespace {

bool IsPacked(const net::Request& request) {
  const auto coding = request.headers.Find("Content-Encoding");
  return coding && (net::EqualsIgnoringCase(*coding, "gzip") || net::EqualsIgnoringCase(*coding, "x-gzip"));
}

}  // namespace

Result<void> GitBody::Check(const net::Request& request, std::string_view media_type) {
  const std::string_view found = request.headers.Find("Content-Type").value_or("");
  if (found != media_type) {
    return Fail(ErrorCode::kInvalidArgument, "expected content of the type {}, found \"{}\"", media_type, found);
  }
  const std::string_view coding = request.headers.Find("Content-Encoding").value_or("identity");
  if (!IsPacked(request) && !net::EqualsIgnoringCase(coding, "identity")) {
    return Fail(ErrorCode::kInvalidArgument, "content coded as \"{}\": only gzip is understood", coding);
  }
  return {};
}

GitBody::GitBody(net::Request& request) : plain_(*request.body) {
  if (IsPacked(request)) unpacked_.emplace(plain_);
}

Response GitAnswer(Response response) {
  response.headers.Set("Cache-Control", "no-cache, max-age=0, must-revalidate");
  response.headers.Set("Expires", "Fri, 01 Jan 1980 00:00:00 GMT");
  response.headers.Set("Pragma", "no-cache");
  return response;
}

}  // namespace bothy::api
