// The content of a request of git's, compressed or not.
#pragma once

#include <optional>
#include <string_view>

#include "api/git/gzip_body.h"
#include "api/route.h"

namespace bothy::api {

// Must not be moved; the request lives longer.
class GitBody {
 public:
  // kInvalidArgument where it is of another type or coding.
  static Result<void> Check(const net::Request& request, std::string_view media_type);

  explicit GitBody(net::Request& request);
  GitBody(const GitBody&) = delete;
  GitBody& operator=(const GitBody&) = delete;

  net::BodyReader& reader() { return unpacked_ ? static_cast<net::BodyReader&>(*unpacked_) : plain_; }

 private:
  net::BodyReader& plain_;
  std::optional<GzipBody> unpacked_;
};

// What git gets as an answer is never kept by a cache: refs move.
Response GitAnswer(Response response);

}  // namespace bothy::api
