#include "net/tcp_stream.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace bothy::net {
namespace {

// nullopt for "not now"; everything else ends the connection.
Result<std::optional<size_t>> Failed(int error, std::string_view doing) {
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) return std::nullopt;
  return Fail(ErrorCode::kCancelled, "{}: {}", doing, std::generic_category().message(error));
}

}  // namespace

Task<Result<void>> SocketStream::Handshake(Deadline) { co_return Result<void>(); }

Task<Result<void>> SocketStream::WaitFor(SocketWatch::Direction direction, Deadline deadline) {
  const auto outcome = co_await watch_.Wait(direction, deadline);
  spent_ = 0;
  switch (outcome) {
    case SocketWatch::Outcome::kReady: co_return Result<void>();
    case SocketWatch::Outcome::kTimedOut: co_return Fail(ErrorCode::kUnavailable, "the connection timed out");
    case SocketWatch::Outcome::kCancelled: break;
  }
  co_return Fail(ErrorCode::kCancelled, "the connection was ended");
}

Result<std::optional<size_t>> TcpStream::TryRead(std::span<std::byte> out) {
  if (watch().cancelled()) return Fail(ErrorCode::kCancelled, "the connection was ended");
  if (TurnIsOver()) return std::nullopt;
  const ssize_t count = recv(socket(), out.data(), out.size(), 0);
  if (count < 0) return Failed(errno, "reading from the connection");
  Spend(static_cast<size_t>(count));
  return static_cast<size_t>(count);
}

Result<std::optional<size_t>> TcpStream::TryWrite(std::span<const std::byte> bytes, bool more_follows) {
  if (watch().cancelled()) return Fail(ErrorCode::kCancelled, "the connection was ended");
  if (TurnIsOver()) return std::nullopt;
  const ssize_t count = send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0));
  if (count < 0) return Failed(errno, "writing to the connection");
  Spend(static_cast<size_t>(count));
  return static_cast<size_t>(count);
}

Result<std::optional<size_t>> TcpStream::TrySendFile(int file, uint64_t offset, size_t length, bool) {
  if (watch().cancelled()) return Fail(ErrorCode::kCancelled, "the connection was ended");
  if (TurnIsOver()) return std::nullopt;
  auto position = static_cast<off_t>(offset);
  const ssize_t count = sendfile(socket(), file, &position, length);
  if (count < 0) return Failed(errno, "sending a file");
  if (count == 0) return Fail(ErrorCode::kInternal, "a file ended while it was sent");
  Spend(static_cast<size_t>(count));
  return static_cast<size_t>(count);
}

bool TcpStream::PeerGone() {
  std::byte next;
  const ssize_t count = recv(socket(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void TcpStream::EndWriting() { shutdown(socket(), SHUT_WR); }

}  // namespace bothy::net
