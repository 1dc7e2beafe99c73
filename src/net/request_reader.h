// Reads HTTP/1.1 requests from a byte stream, one after the other: head, then body as it is asked for. Refuses every
// form that two readers could understand differently (RFC 9112, 11.2: request smuggling).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "net/byte_stream.h"
#include "net/headers.h"
#include "net/status.h"
#include "net/target.h"

namespace bothy::net {

struct ReadLimits {
  static constexpr size_t kMaxHeadBytes = 32 << 10;  // request line and fields; Xet's tokens are some 2 KB long
  static constexpr size_t kMaxFields = 100;
  static constexpr size_t kMaxTargetBytes = 8 << 10;  // what RFC 9110 recommends
  static constexpr uint64_t kMaxBody = 1 << 20;       // unless a handler says otherwise

  size_t head_bytes = kMaxHeadBytes;
  size_t fields = kMaxFields;
  size_t target_bytes = kMaxTargetBytes;
  uint64_t body_bytes = kMaxBody;

  std::chrono::milliseconds head_time{30'000};  // from the first byte of a head to its last
  std::chrono::milliseconds idle_time{75'000};  // between two requests
  // A body may be waited for as long as this in all, and longer by the time that its bytes would take at the least
  // rate.
  std::chrono::milliseconds body_time{30'000};
  uint64_t body_bytes_per_second = 1 << 10;
};

struct RequestHead {
  std::string method;
  Target target;
  int minor_version = 1;  // HTTP/1.0 or HTTP/1.1
  Headers headers;
  std::optional<uint64_t> content_length;
  bool chunked = false;
  bool expects_continue = false;
  bool keep_alive = true;
};

// What is wrong with a head. kClientClosedRequest: nobody is left to be told.
struct RequestError {
  Status status = Status::kBadRequest;
  std::string message;
};

class RequestReader {
 public:
  RequestReader(ByteStream& stream, const ReadLimits& limits);
  ~RequestReader();

  // Waits for the first byte of the next request, without a buffer of its own. kCancelled: the peer has ended.
  Task<Result<void>> WaitForRequest();

  // The next request's head. After an error nothing more can be read.
  Task<tl::expected<RequestHead, RequestError>> ReadHead();

  // The body of the request whose head was read last; 0 is its end. kInvalidArgument: malformed; kResourceExhausted:
  // longer than the limit; kCancelled: the peer has gone; kUnavailable: it is too slow.
  Task<Result<size_t>> ReadBody(std::span<std::byte> out);

  // In place of the default; before the first read.
  void SetBodyLimit(uint64_t limit) { body_limit_ = limit; }

  bool body_done() const { return body_done_; }
  bool failed() const { return failed_; }
  uint64_t bytes_used() const { return bytes_read_ - (end_ - start_); }  // by all heads and bodies so far

 private:
  struct Parser;

  Task<Result<size_t>> Fill(size_t capacity, Deadline deadline);
  Task<Result<size_t>> ReadCounted(std::span<std::byte> out);
  Task<Result<size_t>> ReadChunked(std::span<std::byte> out);
  tl::expected<RequestHead, RequestError> ParseHead(std::string_view head);
  Deadline BodyDeadline() const;
  std::string_view Buffered() const { return std::string_view(buffer_).substr(start_, end_ - start_); }
  void Consume(size_t bytes);

  ByteStream& stream_;
  const ReadLimits& limits_;
  std::unique_ptr<Parser> parser_;
  std::string buffer_;  // [start_, end_) is read and not yet used
  size_t start_ = 0;
  size_t end_ = 0;
  bool chunked_ = false;
  bool body_done_ = true;
  bool failed_ = false;
  std::optional<Error> broken_;  // of a chunked body, found behind bytes that were still good
  uint64_t body_limit_ = 0;
  uint64_t body_left_ = 0;  // of a body with Content-Length
  uint64_t body_read_ = 0;
  uint64_t bytes_read_ = 0;
  std::chrono::milliseconds body_waited_{0};
};

}  // namespace bothy::net
