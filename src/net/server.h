// The HTTP server: listens, reads requests, calls the handler, writes what it returns.
//
//   auto server = TRY(Server::Start(options, [&](Request& request) { return app.Handle(request); }));
//   server->Stop(std::chrono::seconds(10));
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/client_view.h"
#include "net/request.h"
#include "net/request_reader.h"
#include "net/response.h"

namespace bothy::net {

// Runs on a network thread: what blocks in it must go through RunBlocking. The request lives until the response has
// been written.
using Handler = std::function<Task<Response>(Request& request)>;

// One line of the access log. Neither the query (signed addresses) nor any header is in it.
struct AccessRecord {
  std::string_view method;  // "" where the head could not be read
  std::string_view path;    // raw
  std::string_view route;   // as Request has these two
  std::string_view actor;
  Status status = Status::kOk;
  uint64_t bytes_in = 0;  // head and body, as they were on the wire; 0 where the head could not be read
  uint64_t bytes_out = 0;
  double seconds = 0;  // from the head's end to the response's
  std::string_view request_id;
  std::string_view remote;
  bool complete = true;  // the whole response was written
};

struct ServerOptions {
  static constexpr int kMaxConnections = 10'000;

  std::vector<std::string> listen = {"127.0.0.1:8080"};  // "host:port", "[::]:port"; port 0 picks one
  int network_threads = 2;
  int file_threads = 4;                   // read what is not in memory before it is sent
  int max_connections = kMaxConnections;  // beyond, clients get a 503
  ReadLimits limits;
  std::chrono::milliseconds write_stall{30'000};  // a client that takes nothing for as long is cut
  std::chrono::milliseconds linger{5'000};        // how long a refused body may go on to come before it is cut off
  std::filesystem::path certificate;              // PEM; with a key: TLS
  std::filesystem::path key;
  ClientViewOptions client_view;
  std::function<void(const AccessRecord&)> access_log;  // on a network thread; must not block
};

class Server {
 public:
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Handler handler);
  ~Server();  // Stop(0)
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where it listens: "http://127.0.0.1:43211", one for each of options.listen.
  const std::vector<std::string>& addresses() const;
  int port() const;  // of the first

  int connections() const;

  // New connections get the certificate and key that the files hold now. Where they cannot be used the old ones stay.
  Result<void> ReloadCertificate();

  // Closes the listeners and the connections that wait for a request; what is in flight may finish until `grace` is
  // over, then it is cut: Request::gone stops, reads and writes fail. Returns when every handler has returned, which
  // may be later where one does not look. Not from a network thread.
  void Stop(std::chrono::milliseconds grace);

  struct Impl;

 private:
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bothy::net
