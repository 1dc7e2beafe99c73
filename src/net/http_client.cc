#include "net/http_client.h"

#include <curl/curl.h>
#include <signal.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "net/executor.h"

namespace bothy::net {
namespace {

constexpr size_t kBuffered = 256 << 10;  // of one transfer, in each direction
constexpr size_t kUploadPiece = 64 << 10;
constexpr size_t kMaxHeadBytes = 256 << 10;
constexpr int kPollTime = 1000;  // milliseconds; a wake-up ends it, and after it who has been cancelled is looked for

Error CurlError(CURLcode code, const char* detail) {
  const std::string_view message = detail != nullptr && *detail != '\0' ? detail : curl_easy_strerror(code);
  ErrorCode kind = ErrorCode::kUnavailable;
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: kind = ErrorCode::kInvalidArgument; break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_SEND_FAIL_REWIND: kind = ErrorCode::kFailedPrecondition; break;
    case CURLE_ABORTED_BY_CALLBACK: kind = ErrorCode::kCancelled; break;
    case CURLE_OUT_OF_MEMORY: kind = ErrorCode::kResourceExhausted; break;
    default: break;
  }
  return Error{kind, std::string(message)};
}

}  // namespace

// One request and its answer, between libcurl's thread and the coroutine that sent it.
struct ClientResponse::Exchange {
  explicit Exchange(HttpClient::Impl& c) : client(c) {}
  ~Exchange() {
    curl_slist_free_all(fields);
    if (easy != nullptr) curl_easy_cleanup(easy);
  }

  HttpClient::Impl& client;
  ClientRequest request;
  CURL* easy = nullptr;
  curl_slist* fields = nullptr;
  char error_text[CURL_ERROR_SIZE] = "";

  std::mutex mutex;
  // Upload.
  std::string to_send;
  size_t sent = 0;  // of to_send
  bool send_end = false;
  bool send_paused = false;
  // Answer.
  int status = 0;
  Headers headers;
  size_t head_bytes = 0;
  bool head_done = false;
  std::string url;
  std::string received;
  size_t taken = 0;  // of received
  bool receive_paused = false;
  bool finished = false;
  bool abandoned = false;
  std::optional<Error> error;
  // Who waits for a change.
  std::coroutine_handle<> waiting;
  Executor* executor = nullptr;

  // Under the mutex.
  void Wake() {
    if (waiting) executor->Post(std::exchange(waiting, nullptr));
  }
  // For messages: an address without its query, which may be signed.
  std::string_view shown_url() const { return std::string_view(request.url).substr(0, request.url.find('?')); }
  size_t available() const { return received.size() - taken; }

  size_t Supply(char* out, size_t size) {
    const std::lock_guard lock(mutex);
    if (abandoned || error) return CURL_READFUNC_ABORT;
    const size_t count = std::min(size, to_send.size() - sent);
    if (count > 0) {
      std::memcpy(out, to_send.data() + sent, count);
      sent += count;
      return count;
    }
    if (send_end) return 0;
    send_paused = true;
    Wake();
    return CURL_READFUNC_PAUSE;
  }

  // The content of a request that libcurl must send again; a stream that has been read is gone.
  int Rewind(curl_off_t offset) {
    const std::lock_guard lock(mutex);
    if (request.upload != nullptr || offset < 0 || static_cast<size_t>(offset) > to_send.size())
      return CURL_SEEKFUNC_CANTSEEK;
    sent = static_cast<size_t>(offset);
    return CURL_SEEKFUNC_OK;
  }

  size_t TakeHeaderLine(std::string_view line) {
    const std::lock_guard lock(mutex);
    head_bytes += line.size();
    if (abandoned || head_bytes > kMaxHeadBytes) return 0;
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {
      headers = Headers();
      const size_t space = line.find(' ');
      status = space == std::string_view::npos ? 0 : std::atoi(line.data() + space + 1);
    } else if (line.empty()) {
      const bool redirects = status / 100 == 3 && headers.Has("Location") && request.max_redirects > 0;
      if (status >= 200 && !redirects) {
        head_done = true;
        char* effective = nullptr;
        if (curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &effective) == CURLE_OK && effective != nullptr)
          url = effective;
        Wake();
      }
    } else if (const size_t colon = line.find(':'); colon != std::string_view::npos && IsToken(line.substr(0, colon))) {
      if (!head_done) headers.Add(line.substr(0, colon), line.substr(colon + 1));
    }
    return SIZE_MAX;
  }

  size_t Receive(std::string_view bytes) {
    const std::lock_guard lock(mutex);
    if (abandoned) return 0;
    if (!head_done) return bytes.size();  // of a redirect that is followed
    if (available() > 0 && available() + bytes.size() > kBuffered) {
      receive_paused = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    if (taken == received.size()) {
      received.clear();
      taken = 0;
    }
    received += bytes;
    Wake();
    return bytes.size();
  }
};

struct HttpClient::Impl {
  using Exchange = ClientResponse::Exchange;
  struct Command {
    enum Kind { kStart, kContinue, kEnd } kind;
    std::shared_ptr<Exchange> exchange;
  };

  explicit Impl(Options o) : options(std::move(o)) {}

  Options options;
  CURLM* multi = nullptr;
  std::mutex mutex;
  std::deque<Command> commands;
  bool stop = false;
  std::set<std::shared_ptr<Exchange>> running;  // on the thread only
  std::thread thread;

  void Do(Command::Kind kind, const std::shared_ptr<Exchange>& exchange) {
    {
      const std::lock_guard lock(mutex);
      commands.push_back({kind, exchange});
    }
    curl_multi_wakeup(multi);
  }

  void Run();
  void Execute(const Command& command);
  void Finish(CURL* easy, CURLcode code);
  bool SetUp(const std::shared_ptr<Exchange>& exchange);
};

namespace {

using Exchange = ClientResponse::Exchange;

size_t OnRead(char* out, size_t size, size_t count, void* exchange) {
  return static_cast<Exchange*>(exchange)->Supply(out, size * count);
}
int OnSeek(void* exchange, curl_off_t offset, int origin) {
  return origin == SEEK_SET ? static_cast<Exchange*>(exchange)->Rewind(offset) : CURL_SEEKFUNC_CANTSEEK;
}
size_t OnHeader(char* line, size_t size, size_t count, void* exchange) {
  return std::min(static_cast<Exchange*>(exchange)->TakeHeaderLine({line, size * count}), size * count);
}
size_t OnWrite(char* bytes, size_t size, size_t count, void* exchange) {
  return static_cast<Exchange*>(exchange)->Receive({bytes, size * count});
}

int OnProgress(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(cancelled)->load() ? 1 : 0;
}

// Waits until something about the exchange has changed that `ready` looks for; it is called under the mutex.
template <class Ready>
struct ChangeAwaiter {
  Exchange& exchange;
  Ready ready;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> coroutine) {
    const std::lock_guard lock(exchange.mutex);
    if (ready()) return false;
    exchange.executor = Executor::Current();
    CHECK(exchange.executor != nullptr);
    exchange.waiting = coroutine;
    return true;
  }
  void await_resume() const noexcept {}
};

template <class Ready>
Task<void> WaitUntil(Exchange& exchange, Ready ready) {
  for (;;) {
    co_await ChangeAwaiter<Ready>{exchange, ready};
    const std::lock_guard lock(exchange.mutex);
    if (ready()) co_return;
  }
}

}  // namespace

bool HttpClient::Impl::SetUp(const std::shared_ptr<Exchange>& exchange) {
  CURL* const easy = exchange->easy = curl_easy_init();
  if (easy == nullptr) return false;
  const ClientRequest& request = exchange->request;
  const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_USERAGENT, options.user_agent.c_str());
  set(CURLOPT_ERRORBUFFER, exchange->error_text);
  set(CURLOPT_PRIVATE, exchange.get());
  set(CURLOPT_FOLLOWLOCATION, request.max_redirects > 0 ? 1L : 0L);
  set(CURLOPT_MAXREDIRS, static_cast<long>(request.max_redirects));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_time.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_time.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_time.count()));
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (request.cancelled != nullptr) {
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &OnProgress);
    set(CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(request.cancelled));
  }
  if (!options.ca_file.empty()) set(CURLOPT_CAINFO, options.ca_file.c_str());
  set(CURLOPT_HEADERFUNCTION, &OnHeader);
  set(CURLOPT_HEADERDATA, exchange.get());
  set(CURLOPT_WRITEFUNCTION, &OnWrite);
  set(CURLOPT_WRITEDATA, exchange.get());

  const bool sends = request.upload != nullptr || !request.body.empty() || request.method == Method::kPost ||
                     request.method == Method::kPut || request.method == Method::kPatch;
  if (sends) {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, &OnRead);
    set(CURLOPT_READDATA, exchange.get());
    set(CURLOPT_SEEKFUNCTION, &OnSeek);
    set(CURLOPT_SEEKDATA, exchange.get());
    curl_off_t length = static_cast<curl_off_t>(request.body.size());
    if (request.upload != nullptr)
      length = request.upload_length ? static_cast<curl_off_t>(*request.upload_length) : -1;
    set(CURLOPT_INFILESIZE_LARGE, length);
  }
  if (request.method == Method::kHead) {
    set(CURLOPT_NOBODY, 1L);
  } else if (sends || request.method != Method::kGet) {
    set(CURLOPT_CUSTOMREQUEST, std::string(MethodName(request.method)).c_str());
  }
  for (const auto& [name, value] : request.headers) {
    // "Name;" is how libcurl is told of an empty value.
    const std::string line = value.empty() ? name + ";" : name + ": " + value;
    exchange->fields = curl_slist_append(exchange->fields, line.c_str());
  }
  set(CURLOPT_HTTPHEADER, exchange->fields);
  return true;
}

void HttpClient::Impl::Execute(const Command& command) {
  const auto& exchange = command.exchange;
  switch (command.kind) {
    case Command::kStart:
      running.insert(exchange);
      if (curl_multi_add_handle(multi, exchange->easy) != CURLM_OK) Finish(exchange->easy, CURLE_FAILED_INIT);
      break;
    case Command::kContinue:
      if (running.contains(exchange)) curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
      break;
    case Command::kEnd:
      if (running.erase(exchange) > 0) curl_multi_remove_handle(multi, exchange->easy);
      break;
  }
}

void HttpClient::Impl::Finish(CURL* easy, CURLcode code) {
  Exchange* found = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &found);
  const auto at = std::ranges::find_if(running, [&](const auto& exchange) { return exchange.get() == found; });
  if (at == running.end()) return;
  const std::shared_ptr<Exchange> exchange = *at;
  running.erase(at);
  curl_multi_remove_handle(multi, easy);
  const std::lock_guard lock(exchange->mutex);
  exchange->finished = true;
  if (code != CURLE_OK && !exchange->error) exchange->error = CurlError(code, exchange->error_text);
  exchange->Wake();
}

void HttpClient::Impl::Run() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  for (;;) {
    std::deque<Command> todo;
    bool stopping = false;
    {
      const std::lock_guard lock(mutex);
      todo.swap(commands);
      stopping = stop;
      if (stopping && todo.empty()) return;
    }
    for (const Command& command : todo) Execute(command);
    int active = 0;
    curl_multi_perform(multi, &active);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) Finish(message->easy_handle, message->data.result);
    }
    curl_multi_poll(multi, nullptr, 0, stopping ? 0 : kPollTime, nullptr);
  }
}

HttpClient::HttpClient(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(once == CURLE_OK);
  impl_->multi = curl_multi_init();
  CHECK(impl_->multi != nullptr);
  curl_multi_setopt(impl_->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                    static_cast<long>(impl_->options.max_connections_per_host));
  impl_->thread = std::thread([this] { impl_->Run(); });
}

HttpClient::~HttpClient() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop = true;
  }
  curl_multi_wakeup(impl_->multi);
  impl_->thread.join();
  for (const auto& exchange : impl_->running) curl_multi_remove_handle(impl_->multi, exchange->easy);
  impl_->running.clear();
  curl_multi_cleanup(impl_->multi);
}

Task<Result<ClientResponse>> HttpClient::Send(ClientRequest request) {
  auto exchange = std::make_shared<Exchange>(*impl_);
  exchange->request = std::move(request);
  BodyReader* const upload = exchange->request.upload;
  exchange->send_end = upload == nullptr;
  exchange->to_send = exchange->request.body;
  if (!impl_->SetUp(exchange)) co_return Fail(ErrorCode::kResourceExhausted, "no memory for a transfer");
  ClientResponse response(exchange);  // ends the transfer wherever this function is left
  impl_->Do(Impl::Command::kStart, exchange);

  std::string piece;
  for (;;) {
    co_await WaitUntil(*exchange, [&] {
      return exchange->head_done || exchange->finished || (exchange->send_paused && upload != nullptr);
    });
    {
      const std::lock_guard lock(exchange->mutex);
      if (exchange->head_done) break;
      if (exchange->finished) {
        if (exchange->error) co_return WithContext(*exchange->error, exchange->shown_url());
        co_return Fail(ErrorCode::kUnavailable, "{}: no answer", exchange->shown_url());
      }
    }
    piece.resize(kUploadPiece);
    auto read = co_await upload->Read(std::as_writable_bytes(std::span(piece)));
    if (!read) co_return tl::unexpected<Error>(read.error());
    {
      const std::lock_guard lock(exchange->mutex);
      exchange->to_send.assign(piece, 0, *read);
      exchange->sent = 0;
      exchange->send_end = *read == 0;
      exchange->send_paused = false;
    }
    impl_->Do(Impl::Command::kContinue, exchange);
  }
  const std::lock_guard lock(exchange->mutex);
  response.status = static_cast<Status>(exchange->status);
  response.headers = exchange->headers;
  response.url = exchange->url;
  co_return response;
}

ClientResponse::ClientResponse(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
ClientResponse::ClientResponse(ClientResponse&&) noexcept = default;
ClientResponse& ClientResponse::operator=(ClientResponse&& other) noexcept {
  std::swap(exchange_, other.exchange_);
  status = other.status;
  headers = std::move(other.headers);
  url = std::move(other.url);
  return *this;
}

ClientResponse::~ClientResponse() {
  if (!exchange_) return;
  {
    const std::lock_guard lock(exchange_->mutex);
    exchange_->abandoned = true;
  }
  exchange_->client.Do(HttpClient::Impl::Command::kEnd, exchange_);
}

Task<Result<size_t>> ClientResponse::Read(std::span<std::byte> out) {
  CHECK(!out.empty());
  Exchange& exchange = *exchange_;
  co_await WaitUntil(exchange, [&] { return exchange.available() > 0 || exchange.finished; });
  bool go_on = false;
  size_t count = 0;
  {
    const std::lock_guard lock(exchange.mutex);
    count = std::min(out.size(), exchange.available());
    std::memcpy(out.data(), exchange.received.data() + exchange.taken, count);
    exchange.taken += count;
    if (count == 0 && exchange.error) co_return WithContext(*exchange.error, exchange.shown_url());
    go_on = exchange.receive_paused && exchange.available() <= kBuffered / 2;
    if (go_on) exchange.receive_paused = false;
  }
  if (go_on) exchange.client.Do(HttpClient::Impl::Command::kContinue, exchange_);
  co_return count;
}

}  // namespace bothy::net
