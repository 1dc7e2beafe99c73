// The byte stream of a TCP connection.
#pragma once

#include "net/byte_stream.h"
#include "net/loop.h"

namespace bothy::net {

// A stream that a connection holds: besides moving bytes it can be watched and ended.
class SocketStream : public ByteStream {
 public:
  SocketStream(Loop& loop, int socket) : watch_(loop, socket) {}

  SocketWatch& watch() { return watch_; }

  // Whether the peer has ended or lost the connection, as far as can be seen without taking bytes from it.
  virtual bool PeerGone() = 0;

  // Tells the peer that nothing more comes; what it still sends may be read.
  virtual void EndWriting() = 0;

  // What must be said before the first byte.
  virtual Task<Result<void>> Handshake(Deadline deadline);

  Task<Result<void>> WaitToRead(Deadline deadline) override { return WaitFor(SocketWatch::kRead, deadline); }
  Task<Result<void>> WaitToWrite(Deadline deadline) override { return WaitFor(SocketWatch::kWrite, deadline); }

 protected:
  // A connection whose peer keeps up would never have to wait, and its thread's others would: so after some megabytes,
  // or some hundred calls for little, it waits once, which lets everybody else go first.
  static constexpr size_t kTurn = 4 << 20;
  static constexpr size_t kCall = 16 << 10;  // what a call costs beside its bytes
  bool TurnIsOver() const { return spent_ >= kTurn; }
  void Spend(size_t bytes) { spent_ += kCall + bytes; }

  Task<Result<void>> WaitFor(SocketWatch::Direction direction, Deadline deadline);
  int socket() const { return watch_.socket(); }

 private:
  SocketWatch watch_;
  size_t spent_ = 0;
};

class TcpStream final : public SocketStream {
 public:
  using SocketStream::SocketStream;

  Result<std::optional<size_t>> TryRead(std::span<std::byte> out) override;
  Result<std::optional<size_t>> TryWrite(std::span<const std::byte> bytes, bool more_follows) override;
  Result<std::optional<size_t>> TrySendFile(int file, uint64_t offset, size_t length, bool more_follows) override;
  bool PeerGone() override;
  void EndWriting() override;
};

}  // namespace bothy::net
