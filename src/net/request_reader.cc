#include "net/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <cstring>

#include "net/client_view.h"

namespace bothy::net {

namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr size_t kFirstRead = 4 << 10;     // most heads fit
constexpr size_t kChunkBuffer = 16 << 10;  // a chunk's size line and the trailers must fit in it

tl::unexpected<RequestError> Refuse(Status status, std::string message) {
  return tl::unexpected<RequestError>(RequestError{status, std::move(message)});
}

// What no parser should have to be trusted with: line ends, folding, control characters.
std::optional<RequestError> CheckCharacters(std::string_view head, const ReadLimits& limits) {
  size_t lines = 0;
  for (size_t i = 0; i < head.size(); i++) {
    const char c = head[i];
    if (c == '\r' && i + 1 < head.size() && head[i + 1] == '\n') {
      lines++;
      i++;
      if (i + 1 < head.size() && (head[i + 1] == ' ' || head[i + 1] == '\t')) {
        return RequestError{Status::kBadRequest, "a header field is folded over several lines"};
      }
    } else if ((c >= 0 && c < ' ' && c != '\t') || c == 0x7f) {
      return RequestError{Status::kBadRequest, "the request's head has a control character or a bare line end"};
    }
  }
  if (lines > limits.fields + 2) {  // the request line and the empty one
    return RequestError{Status::kHeaderFieldsTooLarge, fmt::format("more than {} header fields", limits.fields)};
  }
  return std::nullopt;
}

}  // namespace

// Beast's parser splits heads and chunks into their parts; what they mean is decided here.
struct RequestReader::Parser final : http::basic_parser<true> {
  RequestHead head;
  std::string raw_target;
  std::span<std::byte> out;  // where a chunk's data goes
  size_t copied = 0;
  uint64_t chunk_left = 0;  // bytes of the open chunk that have not come yet

  void on_request_impl(http::verb, boost::beast::string_view method, boost::beast::string_view target, int version,
                       error_code&) override {
    head.method.assign(method.data(), method.size());
    raw_target.assign(target.data(), target.size());
    head.minor_version = version % 10;
  }
  void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}
  void on_field_impl(http::field, boost::beast::string_view name, boost::beast::string_view value,
                     error_code&) override {
    if (is_header_done()) return;  // trailers mean nothing to us
    head.headers.Add({name.data(), name.size()}, {value.data(), value.size()});
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(boost::beast::string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t size, boost::beast::string_view, error_code&) override { chunk_left = size; }
  std::size_t on_chunk_body_impl(std::uint64_t left, boost::beast::string_view body, error_code&) override {
    const size_t count = std::min(body.size(), out.size() - copied);
    chunk_left = left - count;
    std::memcpy(out.data() + copied, body.data(), count);
    copied += count;
    return count;
  }
  void on_finish_impl(error_code&) override {}
};

RequestReader::RequestReader(ByteStream& stream, const ReadLimits& limits) : stream_(stream), limits_(limits) {}
RequestReader::~RequestReader() = default;

void RequestReader::Consume(size_t bytes) {
  start_ += bytes;
  if (start_ == end_) start_ = end_ = 0;
}

// Reads more behind what is buffered, which may grow to `capacity`. 0 is the end of the stream.
Task<Result<size_t>> RequestReader::Fill(size_t capacity, Deadline deadline) {
  if (start_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + start_, end_ - start_);
    end_ -= start_;
    start_ = 0;
  }
  if (end_ == buffer_.size() && end_ < capacity) {
    buffer_.resize(std::min(std::max(kFirstRead, buffer_.size() * 2), capacity));
  }
  if (end_ == buffer_.size()) co_return Fail(ErrorCode::kInvalidArgument, "a line of the request is too long");
  auto read = co_await stream_.Read(std::as_writable_bytes(std::span(buffer_).subspan(end_)), deadline);
  const size_t bytes = CO_TRY(read);
  end_ += bytes;
  bytes_read_ += bytes;
  co_return bytes;
}

Task<Result<void>> RequestReader::WaitForRequest() {
  const Deadline deadline = After(limits_.idle_time);
  parser_.reset();
  for (;;) {
    // Clients of old end a body with an empty line that belongs to nothing (RFC 9112, 2.2).
    while (Buffered().starts_with("\r\n")) Consume(2);
    if (!Buffered().empty() && Buffered() != "\r") co_return Result<void>();
    if (buffer_.empty()) buffer_.resize(kFirstRead);
    auto tried = stream_.TryRead(std::as_writable_bytes(std::span(buffer_).subspan(end_)));
    const auto bytes = CO_TRY(tried);
    if (!bytes) {
      if (end_ == 0) std::string().swap(buffer_);  // what waits holds no memory
      auto waited = co_await stream_.WaitToRead(deadline);
      CO_TRY(waited);
      continue;
    }
    if (*bytes == 0) co_return Fail(ErrorCode::kCancelled, "the client has ended the connection");
    end_ += *bytes;
    bytes_read_ += *bytes;
  }
}

Task<tl::expected<RequestHead, RequestError>> RequestReader::ReadHead() {
  const Deadline deadline = After(limits_.head_time);
  failed_ = true;  // until it has been read
  size_t searched = 0;
  for (;;) {
    const std::string_view buffered = Buffered();
    const size_t end = buffered.find("\r\n\r\n", searched < 3 ? 0 : searched - 3);
    if (end != std::string_view::npos && end + 4 <= limits_.head_bytes) {
      auto head = ParseHead(buffered.substr(0, end + 4));
      if (head) Consume(end + 4);
      failed_ = !head;
      co_return head;
    }
    // What can be no request is refused at once, not when its head has ended.
    if (!buffered.empty() && !IsToken(buffered.substr(0, 1))) {
      co_return Refuse(Status::kBadRequest, "this is no HTTP request");
    }
    if (buffered.size() >= limits_.target_bytes + 32 && buffered.find("\r\n") == std::string_view::npos) {
      co_return Refuse(Status::kUriTooLong,
                       fmt::format("the request target is longer than {} bytes", limits_.target_bytes));
    }
    if (end != std::string_view::npos || buffered.size() >= limits_.head_bytes) {
      co_return Refuse(Status::kHeaderFieldsTooLarge,
                       fmt::format("the request's head is longer than {} bytes", limits_.head_bytes));
    }
    searched = buffered.size();
    auto filled = co_await Fill(limits_.head_bytes, deadline);
    if (!filled && filled.error().code == ErrorCode::kUnavailable) {
      co_return Refuse(Status::kRequestTimeout, "the request's head took too long");
    }
    if (!filled || *filled == 0) co_return Refuse(Status::kClientClosedRequest, "the client has gone");
  }
}

tl::expected<RequestHead, RequestError> RequestReader::ParseHead(std::string_view raw) {
  if (auto error = CheckCharacters(raw, limits_)) return tl::unexpected<RequestError>(*std::move(error));
  parser_ = std::make_unique<Parser>();
  parser_->eager(false);
  parser_->header_limit(static_cast<std::uint32_t>(std::min<size_t>(raw.size(), UINT32_MAX)));
  parser_->body_limit(boost::none);
  error_code error;
  const size_t used = parser_->put(boost::asio::const_buffer(raw.data(), raw.size()), error);
  if (error == http::error::bad_version)
    return Refuse(Status::kVersionNotSupported, "only HTTP/1.0 and HTTP/1.1 are served");
  if (error || !parser_->is_header_done() || used != raw.size()) {
    return Refuse(Status::kBadRequest, fmt::format("malformed request: {}", error ? error.message() : "bad line ends"));
  }
  RequestHead& head = parser_->head;
  const Headers& headers = head.headers;

  if (parser_->raw_target.size() > limits_.target_bytes) {
    return Refuse(Status::kUriTooLong, fmt::format("the request target is longer than {} bytes", limits_.target_bytes));
  }
  auto target = Target::Parse(parser_->raw_target);
  if (!target) return Refuse(Status::kBadRequest, target.error().message);
  head.target = *std::move(target);
  if (head.target.path == "*" && head.method != "OPTIONS") return Refuse(Status::kBadRequest, "\"*\" is for OPTIONS");

  const auto hosts = headers.FindAll("Host");
  if (hosts.size() > 1 || (hosts.empty() && head.minor_version == 1) || (!hosts.empty() && !IsHost(hosts[0])) ||
      (!head.target.authority.empty() && !IsHost(head.target.authority))) {
    return Refuse(Status::kBadRequest, "a request names one host");
  }

  const auto encodings = headers.FindAll("Transfer-Encoding");
  const auto lengths = headers.FindAll("Content-Length");
  if (!encodings.empty()) {
    if (!lengths.empty()) return Refuse(Status::kBadRequest, "both Content-Length and Transfer-Encoding");
    if (head.minor_version == 0) return Refuse(Status::kBadRequest, "Transfer-Encoding in HTTP/1.0");
    if (encodings.size() > 1) return Refuse(Status::kBadRequest, "several Transfer-Encoding fields");
    if (!EqualsIgnoringCase(encodings[0], "chunked")) {
      return Refuse(Status::kNotImplemented, "the only transfer encoding is chunked");
    }
    if (!parser_->chunked()) return Refuse(Status::kBadRequest, "malformed Transfer-Encoding");
    head.chunked = true;
  }
  if (lengths.size() > 1) return Refuse(Status::kBadRequest, "several Content-Length fields");
  if (lengths.size() == 1) {
    uint64_t length = 0;
    const char* const last = lengths[0].data() + lengths[0].size();
    const auto [end, problem] = std::from_chars(lengths[0].data(), last, length);
    if (problem != std::errc() || end != last) return Refuse(Status::kBadRequest, "malformed Content-Length");
    head.content_length = length;
  }

  const auto expect = headers.Find("Expect");
  if (expect && head.minor_version == 1) {
    if (!EqualsIgnoringCase(*expect, "100-continue")) return Refuse(Status::kExpectationFailed, "unknown expectation");
    head.expects_continue = head.chunked || head.content_length.value_or(0) > 0;
  }
  head.keep_alive =
      head.minor_version == 1 ? !headers.ListHas("Connection", "close") : headers.ListHas("Connection", "keep-alive");

  chunked_ = head.chunked;
  body_left_ = head.content_length.value_or(0);
  body_done_ = !chunked_ && body_left_ == 0;
  body_limit_ = limits_.body_bytes;
  body_read_ = 0;
  body_waited_ = std::chrono::milliseconds(0);
  return std::move(head);
}

Deadline RequestReader::BodyDeadline() const {
  const auto earned =
      std::chrono::milliseconds(body_read_ * 1000 / std::max<uint64_t>(1, limits_.body_bytes_per_second));
  // Credit that is not used up is bounded, so that a fast beginning does not pay for a stall of hours.
  const auto left = std::min(limits_.body_time + earned - body_waited_, limits_.body_time);
  return After(left);
}

Task<Result<size_t>> RequestReader::ReadBody(std::span<std::byte> out) {
  CHECK(!out.empty());
  if (failed_) co_return Fail(ErrorCode::kCancelled, "the connection was ended");
  if (body_done_) co_return size_t{0};
  if (!chunked_ && body_read_ + body_left_ > body_limit_) {
    co_return Fail(ErrorCode::kResourceExhausted, "the body is longer than {} bytes", body_limit_);
  }
  failed_ = true;  // until it has been read
  auto read = chunked_ ? co_await ReadChunked(out) : co_await ReadCounted(out);
  const size_t bytes = CO_TRY(read);
  failed_ = false;
  body_read_ += bytes;
  if (body_read_ > body_limit_) {
    failed_ = true;
    co_return Fail(ErrorCode::kResourceExhausted, "the body is longer than {} bytes", body_limit_);
  }
  co_return bytes;
}

Task<Result<size_t>> RequestReader::ReadCounted(std::span<std::byte> out) {
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(out.size(), body_left_));
  size_t bytes = 0;
  if (start_ < end_) {
    bytes = std::min(wanted, end_ - start_);
    std::memcpy(out.data(), buffer_.data() + start_, bytes);
    Consume(bytes);
  } else {  // past our buffer, into the caller's
    const Deadline start = std::chrono::steady_clock::now();
    auto read = co_await stream_.Read(out.first(wanted), BodyDeadline());
    bytes = CO_TRY(read);
    body_waited_ += std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    if (bytes == 0) co_return Fail(ErrorCode::kCancelled, "the client has gone in the middle of the body");
    bytes_read_ += bytes;
  }
  body_left_ -= bytes;
  body_done_ = body_left_ == 0;
  co_return bytes;
}

Task<Result<size_t>> RequestReader::ReadChunked(std::span<std::byte> out) {
  if (broken_) co_return tl::unexpected<Error>(*broken_);
  parser_->out = out;
  parser_->copied = 0;
  // What was good before it is given out first, so that a body means the same however the network cut it.
  const auto broken = [this](tl::unexpected<Error> error) -> Result<size_t> {
    if (parser_->copied == 0) return error;
    broken_ = std::move(error.value());
    return parser_->copied;
  };
  // Between chunks at least "0", CRLF and CRLF are still to come; Beast's parser asserts that it never sees less.
  const auto too_few = [this] { return end_ - start_ < (parser_->chunk_left > 0 ? 1u : 5u); };
  bool need_more = too_few();
  for (;;) {
    while (!need_more && !parser_->is_done() && parser_->copied < out.size()) {
      error_code error;
      const std::string_view buffered = Buffered().substr(0, kChunkBuffer);
      const size_t used = parser_->put(boost::asio::const_buffer(buffered.data(), buffered.size()), error);
      Consume(used);
      if (error && error != http::error::need_more) {
        co_return broken(Fail(ErrorCode::kInvalidArgument, "malformed chunk: {}", error.message()));
      }
      need_more = error == http::error::need_more || too_few();
      if (need_more && buffered.size() - used == kChunkBuffer) {
        co_return broken(Fail(ErrorCode::kInvalidArgument, "a chunk's size or the trailers are too long"));
      }
    }
    body_done_ = parser_->is_done();
    if (parser_->copied > 0 || body_done_) co_return parser_->copied;
    const Deadline start = std::chrono::steady_clock::now();
    auto filled = co_await Fill(kChunkBuffer, BodyDeadline());
    const size_t bytes = CO_TRY(filled);
    body_waited_ += std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    if (bytes == 0) co_return Fail(ErrorCode::kCancelled, "the client has gone in the middle of the body");
    need_more = too_few();
  }
}

}  // namespace bothy::net
