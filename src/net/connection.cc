#include "net/connection.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>

namespace bothy::net {
namespace {

constexpr size_t kMaxRequestId = 128;
constexpr size_t kMaxDrained = 256 << 10;  // of a body that nobody read, to keep the connection; more is not worth it
constexpr size_t kDrainPiece = 16 << 10;

}  // namespace

std::string RequestId(const Headers& headers) {
  for (const char* name : {"X-Request-Id", "X-Amzn-Trace-Id"}) {
    const auto id = headers.Find(name);
    if (!id || id->empty() || id->size() > kMaxRequestId) continue;
    const bool sane = std::ranges::all_of(*id, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             std::string_view("-_.:;=+/@").find(c) != std::string_view::npos;
    });
    if (sane) return std::string(*id);
  }
  std::array<uint64_t, 2> random{};
  // As many bytes come at once (getrandom(2)); an id that is not random harms nobody.
  if (getrandom(random.data(), sizeof random, 0) < 0)
    random[0] = static_cast<uint64_t>(After({}).time_since_epoch().count());
  return fmt::format("{:016x}{:016x}", random[0], random[1]);
}

// The body of the request that is being served.
class Connection::Body final : public RequestBody {
 public:
  Body(Connection& connection, const RequestHead& head)
      : connection_(connection),
        length_(head.chunked ? std::nullopt : std::optional(head.content_length.value_or(0))),
        limit_(connection.context_.options.limits.body_bytes),
        continue_owed_(head.expects_continue) {}

  std::optional<uint64_t> length() const override { return length_; }
  bool continue_owed() const { return continue_owed_; }

  void SetLimit(uint64_t bytes) override {
    limit_ = bytes;
    connection_.reader_.SetBodyLimit(bytes);
  }

  Task<Result<size_t>> Read(std::span<std::byte> out) override {
    if (continue_owed_ && length_.value_or(0) <= limit_) {
      continue_owed_ = false;
      auto written = co_await connection_.stream_->Write(AsBytes("HTTP/1.1 100 Continue\r\n\r\n"),
                                                         connection_.context_.options.write_stall);
      CO_TRY(written);
    }
    auto read = co_await connection_.reader_.ReadBody(out);
    if (connection_.reader_.body_done()) connection_.WatchPeer();
    co_return read;
  }

 private:
  Connection& connection_;
  std::optional<uint64_t> length_;
  uint64_t limit_;
  bool continue_owed_;
};

Connection::Connection(const ConnectionContext& context, std::unique_ptr<SocketStream> stream, const IpAddress& peer,
                       std::string local, bool encrypted)
    : context_(context),
      stream_(std::move(stream)),
      reader_(*stream_, context.options.limits),
      peer_(peer),
      local_(std::move(local)),
      encrypted_(encrypted) {}

void Connection::EndIfIdle() {
  if (idle_) stream_->watch().Cancel();
}

void Connection::Cut() {
  stream_->watch().Cancel();
  gone_.request_stop();
}

Task<void> Connection::Serve() {
  const auto shaken = co_await stream_->Handshake(After(context_.options.limits.head_time));
  if (!shaken) co_return;
  // A request that has been sent already is served even when the server is about to stop.
  for (;;) {
    idle_ = true;
    const auto waited = co_await reader_.WaitForRequest();
    if (!waited) co_return;
    idle_ = false;
    const bool goes_on = co_await ServeOne();
    if (!goes_on || context_.draining) break;
  }
  if (linger_) co_await Linger();
}

// In a coroutine of its own, so that a connection without a request does not hold the memory of one.
Task<bool> Connection::ServeOne() {
  const uint64_t used_before = reader_.bytes_used();
  auto head = co_await reader_.ReadHead();
  const Deadline start = std::chrono::steady_clock::now();
  if (!head) {
    co_await Refuse(head.error());
    co_return false;
  }
  const auto method = ParseMethod(head->method);
  if (!method) {
    co_await Refuse({Status::kNotImplemented, "unknown method"});
    co_return false;
  }

  Body body(*this, *head);
  Request request;
  request.method = *method;
  request.path = std::move(head->target.path);
  request.query = std::move(head->target.query);
  request.headers = std::move(head->headers);
  request.body = &body;
  request.id = RequestId(request.headers);
  const std::string& authority = head->target.authority;
  auto view = ViewOfClient(context_.options.client_view, peer_, encrypted_,
                           authority.empty() ? request.headers.Find("Host").value_or("") : std::string_view(authority),
                           local_, request.headers);
  request.remote = std::move(view.remote);
  request.base_url = std::move(view.base_url);
  gone_ = std::stop_source();
  request.gone = gone_.get_token();
  if (reader_.body_done()) WatchPeer();

  Response response = co_await context_.handler(request);

  if (!response.headers.Has("X-Request-Id")) response.headers.Add("X-Request-Id", request.id);
  // A body that is still to come would be taken for the next request. A little of it is skipped, more ends the
  // connection; so does a client that waits for a "100 Continue", for nobody knows whether it will send.
  WriteOptions options;
  options.head_only = request.method == Method::kHead;
  options.minor_version = head->minor_version;
  options.stall = context_.options.write_stall;
  options.file_workers = &context_.file_workers;
  const bool body_left = !reader_.body_done();
  const bool small_rest = body_left && body.length() && *body.length() <= kMaxDrained && !body.continue_owed();
  options.keep_alive = head->keep_alive && !context_.draining && !reader_.failed() && (!body_left || small_rest);
  const WriteOutcome outcome = co_await WriteResponse(*stream_, response, options);
  Log(request, MethodName(request.method), response.status, start, outcome, reader_.bytes_used() - used_before);
  gone_ = std::stop_source(std::nostopstate);
  linger_ = !reader_.body_done() && outcome.result;  // the response's function may have read it
  if (!outcome.keep_alive) co_return false;
  if (!reader_.body_done()) {
    std::vector<std::byte> scratch(kDrainPiece);
    reader_.SetBodyLimit(kMaxDrained);
    while (!reader_.body_done()) {
      const auto read = co_await reader_.ReadBody(scratch);
      if (!read) co_return false;
    }
    linger_ = false;
  }
  co_return true;
}

Task<void> Connection::Refuse(const RequestError& error) {
  if (error.status == Status::kClientClosedRequest) co_return;
  const Deadline start = std::chrono::steady_clock::now();
  Request request;  // of which nothing is known
  request.id = RequestId({});
  request.remote = peer_.Text();
  Response response = Response::FromError(error.status, error.message).With("X-Request-Id", request.id);
  WriteOptions options;
  options.keep_alive = false;
  options.stall = context_.options.write_stall;
  const WriteOutcome outcome = co_await WriteResponse(*stream_, response, options);
  Log(request, "", error.status, start, outcome, 0);
  linger_ = true;
}

// Closing a socket on which bytes still arrive resets the connection, and a client that is busy sending would never see
// what it was answered. So: say that nothing more comes, and read for a while (RFC 9112, 9.6).
Task<void> Connection::Linger() {
  stream_->EndWriting();
  const Deadline deadline = After(context_.options.linger);
  std::vector<std::byte> scratch(kDrainPiece);
  for (;;) {
    const auto read = co_await stream_->Read(scratch, deadline);
    if (!read || *read == 0 || std::chrono::steady_clock::now() > deadline) co_return;
  }
}

void Connection::WatchPeer() {
  stream_->watch().NotifyWhenReadable([this] {
    // A client that only has ended its side may still want the answer: writes go on, and fail where it is not there.
    if (!idle_ && stream_->PeerGone()) gone_.request_stop();
  });
}

void Connection::Log(const Request& request, std::string_view method, Status status, Deadline start,
                     const WriteOutcome& outcome, uint64_t bytes_in) const {
  if (!context_.options.access_log) return;
  AccessRecord record;
  record.method = method;
  record.path = request.path;
  record.route = request.route;
  record.actor = request.actor;
  record.status = status;
  record.bytes_in = bytes_in;
  record.bytes_out = outcome.bytes;
  record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  record.request_id = request.id;
  record.remote = request.remote;
  record.complete = outcome.result.has_value();
  context_.options.access_log(record);
}

}  // namespace bothy::net
