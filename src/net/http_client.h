// An HTTP client that streams: libcurl on one thread of its own. Certificates are verified; proxies come from the
// environment (http_proxy, https_proxy, no_proxy).
//
//   HttpClient client;
//   auto response = co_await client.Send({.url = "https://hub/file", .headers = {{"Range", "bytes=5-"}}});
//   while (read) response->Read(buffer)
//
// In a program without network threads: RunToCompletion(client.Send(...)).
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "net/body.h"
#include "net/headers.h"
#include "net/status.h"

namespace bothy::net {

struct ClientRequest {
  Method method = Method::kGet;
  std::string url;
  Headers headers;

  // What is sent: `body`, or what `upload` gives while it is read (it must live until Send has returned).
  std::string body;
  BodyReader* upload = nullptr;
  std::optional<uint64_t> upload_length;  // unknown: chunked

  // 0: a redirect is an answer like others. Where they are followed the method stays, an upload cannot be sent twice,
  // and Authorization does not go to another host.
  int max_redirects = 10;
  std::chrono::milliseconds connect_time{30'000};
  std::chrono::seconds stall_time{60};      // without a byte, in either direction, while we are ready for one
  std::chrono::milliseconds total_time{0};  // of everything; 0: however long it takes

  // Ends the transfer with kCancelled when it becomes true, within about a second. Outlives the response.
  const std::atomic<bool>* cancelled = nullptr;
};

// An answer whose head is there and whose body is read as it arrives; at most some hundred KB of it wait in memory.
// Destroying it ends the transfer.
class ClientResponse final : public BodyReader {
 public:
  ClientResponse(ClientResponse&&) noexcept;
  ClientResponse& operator=(ClientResponse&&) noexcept;
  ~ClientResponse() override;

  Status status = Status::kOk;  // may be one that Status does not name
  Headers headers;
  std::string url;  // after redirects

  // kUnavailable where the connection breaks or stalls.
  Task<Result<size_t>> Read(std::span<std::byte> out) override;

  struct Exchange;

 private:
  friend class HttpClient;
  explicit ClientResponse(std::shared_ptr<Exchange> exchange);
  std::shared_ptr<Exchange> exchange_;
};

class HttpClient {
 public:
  struct Options {
    std::string user_agent = "bothy";
    std::filesystem::path ca_file;  // PEM, in place of the system's; empty: the system's
    int max_connections_per_host = 16;
  };

  HttpClient() : HttpClient(Options()) {}
  explicit HttpClient(Options options);
  ~HttpClient();  // no response may be alive
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The answer, once its head is there, whatever its status. Errors: kUnavailable (no connection, broken, too slow: may
  // be tried again), kFailedPrecondition (certificate, too many redirects), kInvalidArgument (address), or what
  // `upload` failed with. An answer that comes before the upload's end is taken for its end.
  Task<Result<ClientResponse>> Send(ClientRequest request);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace bothy::net
