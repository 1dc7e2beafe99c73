// Bodies for code that blocks, on the threads of a WorkerPool, while a network thread moves the bytes. Nothing is
// buffered in between: a read returns what has come, a write when it has gone.
//
// Where such code takes or gives a piece at a time, no thread is held while a slow client is waited for:
//
//   auto taken = co_await TakeBlocking(*request.body, workers, [&](auto bytes) { return blob.Write(bytes); });
//   co_return Response::Stream(Status::kOk, type, GiveBlocking(workers, [=](auto out) { return source->Read(out); }));
//
// Where it wants to read or write by itself, it holds one for as long as the client takes:
//
//   BlockingReader body(*request.body);
//   auto imported = co_await RunBlocking(workers, [&] { return Import(body); });
//
// Threads that clients can hold belong in a pool of their own, so that short work does not wait for them. A connection
// has at most one job in a pool: one whose queue is as long as there may be connections refuses no piece of a transfer.
#pragma once

#include <functional>
#include <span>

#include "net/body.h"
#include "net/executor.h"
#include "net/response.h"

namespace bothy::net {

// Both are made on the body's network thread and then used on one other thread at a time, while the coroutine that owns
// the body waits for it. When the connection ends they fail with kCancelled.
class BlockingReader {
 public:
  explicit BlockingReader(BodyReader& body);

  // Reads at least one byte into `out`, which is not empty; 0 is the end.
  Result<size_t> Read(std::span<std::byte> out);

 private:
  BodyReader& body_;
  Executor& network_;
};

class BlockingWriter {
 public:
  explicit BlockingWriter(BodyWriter& body);

  Result<void> Write(std::span<const std::byte> bytes);
  Result<void> Write(std::string_view text) { return Write(AsBytes(text)); }

 private:
  BodyWriter& body_;
  Executor& network_;
};

// Gives a whole body to `take`, in order, in pieces of at most kBlockingPiece; its length. Ends with the first error,
// of either.
using TakeFunction = std::function<Result<void>(std::span<const std::byte> bytes)>;
Task<Result<uint64_t>> TakeBlocking(BodyReader& body, WorkerPool& workers, TakeFunction take);

// A response's body that `give` fills into the span that it gets, as much as it has; 0 is the end.
using GiveFunction = std::function<Result<size_t>(std::span<std::byte> out)>;
Response::WriteFunction GiveBlocking(WorkerPool& workers, GiveFunction give);

// What a transfer holds in memory. Large enough that going to a worker and back, some 20 us, is little beside hashing
// it (500 us) or writing it.
inline constexpr size_t kBlockingPiece = 256 << 10;

}  // namespace bothy::net
