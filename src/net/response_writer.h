// Writes one response to a byte stream: head, then body in the form that the client understands.
#pragma once

#include <chrono>

#include "net/byte_stream.h"
#include "net/executor.h"
#include "net/response.h"

namespace bothy::net {

struct WriteOptions {
  bool head_only = false;  // the request was HEAD
  int minor_version = 1;   // of the request
  bool keep_alive = true;  // as far as the server is concerned
  std::chrono::milliseconds stall{30'000};
  WorkerPool* file_workers = nullptr;  // read files that are not in memory before they are sent; null: nobody does
};

struct WriteOutcome {
  Result<void> result;      // an error: the response is not whole, and the connection must end
  bool keep_alive = false;  // whether the client was told that the connection goes on
  uint64_t bytes = 0;       // written, with the head
};

Task<WriteOutcome> WriteResponse(ByteStream& stream, Response& response, WriteOptions options);

}  // namespace bothy::net
