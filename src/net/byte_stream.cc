#include "net/byte_stream.h"

namespace bothy::net {

Task<Result<size_t>> ByteStream::Read(std::span<std::byte> out, Deadline deadline) {
  for (;;) {
    auto read = TryRead(out);
    const auto bytes = CO_TRY(read);
    if (bytes) co_return *bytes;
    auto waited = co_await WaitToRead(deadline);
    CO_TRY(waited);
  }
}

Task<Result<void>> ByteStream::Write(std::span<const std::byte> bytes, std::chrono::milliseconds stall,
                                     bool more_follows) {
  while (!bytes.empty()) {
    auto written = TryWrite(bytes, more_follows);
    const auto count = CO_TRY(written);
    if (count) {
      bytes = bytes.subspan(*count);
      continue;
    }
    auto waited = co_await WaitToWrite(After(stall));
    CO_TRY(waited);
  }
  co_return Result<void>();
}

}  // namespace bothy::net
