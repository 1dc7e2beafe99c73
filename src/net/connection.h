// One connection of the server: requests one after the other, until somebody ends it.
#pragma once

#include <memory>
#include <stop_token>

#include "net/response_writer.h"
#include "net/server.h"
#include "net/tcp_stream.h"

namespace bothy::net {

// What the connections of one server share.
struct ConnectionContext {
  const ServerOptions& options;
  const Handler& handler;
  WorkerPool& file_workers;
  const std::atomic<bool>& draining;  // no new requests
};

class Connection {
 public:
  Connection(const ConnectionContext& context, std::unique_ptr<SocketStream> stream, const IpAddress& peer,
             std::string local, bool encrypted);

  // Serves until the end; the connection may be destroyed afterwards. On its loop's thread, as all of these.
  Task<void> Serve();

  // Ends it where it waits for a request.
  void EndIfIdle();

  // Ends it wherever it is: the handler's token stops, reads and writes fail.
  void Cut();

 private:
  class Body;

  Task<bool> ServeOne();
  Task<void> Refuse(const RequestError& error);
  Task<void> Linger();
  void WatchPeer();
  void Log(const Request& request, std::string_view method, Status status, Deadline start, const WriteOutcome& outcome,
           uint64_t bytes_in) const;

  const ConnectionContext& context_;
  std::unique_ptr<SocketStream> stream_;
  RequestReader reader_;
  IpAddress peer_;
  std::string local_;
  bool encrypted_;
  bool idle_ = true;
  bool linger_ = false;
  std::stop_source gone_{std::nostopstate};  // of the request that is being served
};

// A request id from outside that is safe to log and to send back; else a random one of 32 hex digits.
std::string RequestId(const Headers& headers);

}  // namespace bothy::net
