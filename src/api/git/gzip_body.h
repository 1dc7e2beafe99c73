// A request's content that git has compressed (Content-Encoding: gzip, RFC 1952), unpacked while it is read.
#pragma once

#include <memory>

#include "net/body.h"

namespace bothy::api {

class GzipBody final : public net::BodyReader {
 public:
  explicit GzipBody(net::BodyReader& compressed);
  ~GzipBody() override;

  // kCorrupt where it is no gzip or ends too early. How much comes out is for the reader to limit.
  net::Task<Result<size_t>> Read(std::span<std::byte> out) override;

 private:
  struct Stream;
  net::BodyReader& compressed_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace bothy::api
