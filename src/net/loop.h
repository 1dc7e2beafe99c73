// A network thread: it waits for sockets and deadlines and resumes the coroutines that wait for them. The only place
// that knows Asio.
#pragma once

#include <chrono>
#include <coroutine>
#include <functional>
#include <memory>

#include "net/byte_stream.h"
#include "net/executor.h"

namespace bothy::net {

class Loop final : public Executor {
 public:
  Loop();
  ~Loop() override;  // stops the thread; nothing may wait any more
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Any thread may call these two; what is posted runs on the loop's thread.
  void Post(std::coroutine_handle<> coroutine) override;
  void PostFunction(std::function<void()> function);

  // Suspends the calling coroutine, which runs on this loop.
  Task<void> Sleep(std::chrono::milliseconds time);

  struct Impl;

 private:
  friend class SocketWatch;
  friend struct SleepAwaiter;
  std::unique_ptr<Impl> impl_;
};

// Waits for one socket, on its loop's thread only. A waiting coroutine holds no buffer, a watch a few hundred bytes:
// this is what makes thousands of idle connections cheap.
class SocketWatch {
 public:
  enum Direction { kRead, kWrite };
  enum class Outcome { kReady, kTimedOut, kCancelled };

  SocketWatch(Loop& loop, int socket);  // takes the socket over, which must not block
  ~SocketWatch();                       // closes it; nothing may wait
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  int socket() const { return socket_; }

  struct Awaiter {
    SocketWatch& watch;
    Direction direction;
    Deadline deadline;
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> coroutine) const;
    Outcome await_resume() const;
  };

  // At most one coroutine waits for a direction. Deadlines are looked at ten times a second.
  Awaiter Wait(Direction direction, Deadline deadline) { return {*this, direction, deadline}; }

  // Calls `arrived` once when something, the end or an error arrives while no coroutine waits to read.
  void NotifyWhenReadable(std::function<void()> arrived);

  // Who waits and who will wait gets kCancelled.
  void Cancel();
  bool cancelled() const;

  struct State;

 private:
  int socket_;
  std::shared_ptr<State> state_;
};

}  // namespace bothy::net
