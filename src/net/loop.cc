#include "net/loop.h"

#include <signal.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <thread>

namespace bothy::net {

namespace asio = boost::asio;

namespace {

// How often deadlines are looked at. One timer a loop instead of one a wait: a wait then costs a store, and looking at
// 5,000 connections takes some microseconds.
constexpr auto kTick = std::chrono::milliseconds(100);

struct Links {
  Links* previous = this;
  Links* next = this;

  void InsertBefore(Links& at) {
    previous = at.previous;
    next = &at;
    previous->next = this;
    at.previous = this;
  }
  void Remove() {
    previous->next = next;
    next->previous = previous;
    previous = next = this;
  }
};

}  // namespace

struct Sleeper {
  Deadline deadline;
  std::coroutine_handle<> coroutine;
};

struct Loop::Impl {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  asio::steady_timer tick{context};
  Links watches;
  std::vector<Sleeper> sleepers;
  std::thread thread;

  void Tick(Loop& loop);
};

struct SocketWatch::State : Links, std::enable_shared_from_this<SocketWatch::State> {
  struct Side {
    bool armed = false;  // the reactor will tell when it is ready, whether or not somebody waits
    std::coroutine_handle<> waiting;
    Deadline deadline;
    Outcome outcome = Outcome::kReady;
  };

  State(Loop& l, asio::io_context& context, int socket) : loop(l), descriptor(context, socket) {}

  Loop& loop;
  asio::posix::stream_descriptor descriptor;
  Side sides[2];
  std::function<void()> arrived;
  bool cancelled = false;

  void Arm(Direction direction) {
    Side& side = sides[direction];
    if (side.armed) return;
    side.armed = true;
    descriptor.async_wait(
        direction == kRead ? asio::posix::stream_descriptor::wait_read : asio::posix::stream_descriptor::wait_write,
        [self = shared_from_this(), direction](const boost::system::error_code& error) {
          if (error != asio::error::operation_aborted) self->Ready(direction);
        });
  }

  void Ready(Direction direction) {
    Side& side = sides[direction];
    side.armed = false;
    if (side.waiting) {
      side.outcome = Outcome::kReady;
      std::exchange(side.waiting, nullptr).resume();
    } else if (direction == kRead && arrived) {
      std::exchange(arrived, nullptr)();
    }
  }

  // Through the queue: who calls this may be in the middle of something, and `this` may be gone after a resume.
  void Wake(Side& side, Outcome outcome) {
    if (!side.waiting) return;
    side.outcome = outcome;
    loop.Post(std::exchange(side.waiting, nullptr));
  }
};

void Loop::Impl::Tick(Loop& loop) {
  tick.expires_after(kTick);
  tick.async_wait([this, &loop](const boost::system::error_code& error) {
    if (error) return;
    const Deadline now = std::chrono::steady_clock::now();
    for (Links* link = watches.next; link != &watches; link = link->next) {
      auto& state = static_cast<SocketWatch::State&>(*link);
      for (auto& side : state.sides) {
        if (side.waiting && side.deadline <= now) state.Wake(side, SocketWatch::Outcome::kTimedOut);
      }
    }
    std::erase_if(sleepers, [&](const Sleeper& sleeper) {
      if (sleeper.deadline > now) return false;
      loop.Post(sleeper.coroutine);
      return true;
    });
    Tick(loop);
  });
}

Loop::Loop() : impl_(std::make_unique<Impl>()) {
  impl_->Tick(*this);
  impl_->thread = std::thread([this] {
    // sendfile has no MSG_NOSIGNAL: a peer that is gone must be an error here, not a signal for the process.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    SetCurrent(this);
    impl_->context.run();
  });
}

Loop::~Loop() {
  // After what was posted before, such as the end of the last connection.
  asio::post(impl_->context, [this] { impl_->context.stop(); });
  impl_->thread.join();
}

void Loop::Post(std::coroutine_handle<> coroutine) {
  asio::post(impl_->context, [coroutine] { coroutine.resume(); });
}

void Loop::PostFunction(std::function<void()> function) { asio::post(impl_->context, std::move(function)); }

struct SleepAwaiter {
  Loop::Impl& loop;
  Deadline deadline;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) const { loop.sleepers.push_back({deadline, coroutine}); }
  void await_resume() const noexcept {}
};

Task<void> Loop::Sleep(std::chrono::milliseconds time) {
  DCHECK(Current() == this);
  co_await SleepAwaiter{*impl_, After(time)};
}

SocketWatch::SocketWatch(Loop& loop, int socket)
    : socket_(socket), state_(std::make_shared<State>(loop, loop.impl_->context, socket)) {
  state_->InsertBefore(loop.impl_->watches);
}

SocketWatch::~SocketWatch() {
  DCHECK(!state_->sides[kRead].waiting && !state_->sides[kWrite].waiting);
  state_->Remove();
  state_->arrived = nullptr;
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
}

bool SocketWatch::Awaiter::await_suspend(std::coroutine_handle<> coroutine) const {
  auto& side = watch.state_->sides[direction];
  DCHECK(!side.waiting);
  side.outcome = Outcome::kCancelled;
  if (watch.state_->cancelled) return false;
  side.waiting = coroutine;
  side.deadline = deadline;
  watch.state_->Arm(direction);
  return true;
}

SocketWatch::Outcome SocketWatch::Awaiter::await_resume() const { return watch.state_->sides[direction].outcome; }

void SocketWatch::NotifyWhenReadable(std::function<void()> arrived) {
  state_->arrived = std::move(arrived);
  state_->Arm(kRead);
}

void SocketWatch::Cancel() {
  state_->cancelled = true;
  for (auto& side : state_->sides) state_->Wake(side, Outcome::kCancelled);
}

bool SocketWatch::cancelled() const { return state_->cancelled; }

}  // namespace bothy::net
