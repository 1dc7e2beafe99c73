#include "net/blocking_body.h"

#include <memory>

namespace bothy::net {
namespace {

Executor& ThisExecutor() {
  Executor* const here = Executor::Current();
  CHECK(here != nullptr);
  return *here;
}

// Without the zeros that a vector would be filled with first.
struct Piece {
  std::unique_ptr<std::byte[]> memory = std::make_unique_for_overwrite<std::byte[]>(kBlockingPiece);
  std::span<std::byte> all() const { return {memory.get(), kBlockingPiece}; }
};

}  // namespace

BlockingReader::BlockingReader(BodyReader& body) : body_(body), network_(ThisExecutor()) {}

Result<size_t> BlockingReader::Read(std::span<std::byte> out) {
  return RunToCompletion(RunOn(network_, body_.Read(out)));
}

BlockingWriter::BlockingWriter(BodyWriter& body) : body_(body), network_(ThisExecutor()) {}

Result<void> BlockingWriter::Write(std::span<const std::byte> bytes) {
  return RunToCompletion(RunOn(network_, body_.Write(bytes)));
}

Task<Result<uint64_t>> TakeBlocking(BodyReader& body, WorkerPool& workers, TakeFunction take) {
  const Piece piece;
  uint64_t total = 0;
  for (;;) {
    // Small reads are put together: a worker is worth waking for much.
    size_t size = 0;
    bool ended = false;
    while (!ended && size < kBlockingPiece) {
      auto read = co_await body.Read(piece.all().subspan(size));
      const size_t bytes = CO_TRY(read);
      size += bytes;
      ended = bytes == 0;
    }
    if (size > 0) {
      auto taken = co_await RunBlocking(workers, [&] { return take(piece.all().first(size)); });
      CO_TRY(taken);
      total += size;
    }
    if (ended) co_return total;
  }
}

Response::WriteFunction GiveBlocking(WorkerPool& workers, GiveFunction give) {
  return [&workers, give = std::move(give)](BodyWriter& body) -> Task<Result<void>> {
    const Piece piece;
    for (;;) {
      auto given = co_await RunBlocking(workers, [&] { return give(piece.all()); });
      const size_t size = CO_TRY(given);
      if (size == 0) co_return Result<void>();
      auto written = co_await body.Write(piece.all().first(size));
      CO_TRY(written);
    }
  };
}

}  // namespace bothy::net
