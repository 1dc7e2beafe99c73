// Bytes to and from one peer, whatever lies between: a socket, TLS over one, or memory in tests and fuzzers. What reads
// requests and writes responses knows only this.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "net/body.h"

namespace bothy::net {

using Deadline = std::chrono::steady_clock::time_point;

inline Deadline After(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

// One coroutine at a time may read and one may write. Errors: kCancelled where the peer or the server has ended the
// connection, kUnavailable where a deadline has passed.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // How many bytes were moved; nothing where it would have to wait (then WaitToRead or WaitToWrite, and try again). A
  // read of 0 bytes is the end.
  virtual Result<std::optional<size_t>> TryRead(std::span<std::byte> out) = 0;
  virtual Result<std::optional<size_t>> TryWrite(std::span<const std::byte> bytes, bool more_follows) = 0;
  virtual Result<std::optional<size_t>> TrySendFile(int file, uint64_t offset, size_t length, bool more_follows) = 0;

  virtual Task<Result<void>> WaitToRead(Deadline deadline) = 0;
  virtual Task<Result<void>> WaitToWrite(Deadline deadline) = 0;

  // Waits until something is there, at most until `deadline`. 0 is the end.
  Task<Result<size_t>> Read(std::span<std::byte> out, Deadline deadline);

  // Writes everything; each time that the peer takes nothing for `stall` it has failed.
  Task<Result<void>> Write(std::span<const std::byte> bytes, std::chrono::milliseconds stall,
                           bool more_follows = false);
};

}  // namespace bothy::net
