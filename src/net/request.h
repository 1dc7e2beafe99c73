// What a handler gets.
#pragma once

#include <stop_token>
#include <string>

#include "net/body.h"
#include "net/headers.h"
#include "net/status.h"
#include "net/target.h"

namespace bothy::net {

// A request's content. Nothing of it is read from the network before it is asked for.
class RequestBody : public BodyReader {
 public:
  // What the client says; nothing for chunked content. 0 where there is none.
  virtual std::optional<uint64_t> length() const = 0;

  // How much this handler takes, in place of the server's default; before the first read. Past it reads fail with
  // kResourceExhausted: at once where the length is known.
  virtual void SetLimit(uint64_t bytes) = 0;
};

struct Request {
  Method method = Method::kGet;
  std::string path;   // raw: "%2F" in a segment is part of the segment
  std::string query;  // raw, without "?"
  Headers headers;
  RequestBody* body = nullptr;  // never null in a handler

  std::string id;        // the client's X-Request-Id or X-Amzn-Trace-Id, or a random one; answers carry it
  std::string remote;    // the client's address, behind trusted proxies too
  std::string base_url;  // "https://host", as the client sees the server; no slash at the end

  // Asked to stop when the client has gone, or when the server ends. Long work looks at it; a stop_callback runs on the
  // network thread and must not block. While a body has not been read to its end, only its reader notices.
  std::stop_token gone;

  // For the access log and the metrics, by whoever finds them out; empty where nobody does.
  std::string_view route;  // the pattern that the path has matched, of which there are few; must outlive the server
  std::string actor;       // who asks, by name

  Result<QueryParameters> Query() const { return QueryParameters::Parse(query); }
};

}  // namespace bothy::net
