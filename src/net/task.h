// Task<T>: a coroutine that starts when it is awaited and hands its value to whoever awaits it. What waits for a
// network or for a worker thread is a Task; what fails is a Task<Result<T>>.
//
//   Task<Result<size_t>> Copy(BodyReader& from, std::span<std::byte> out) {
//     auto read = co_await from.Read(out);      // g++ 12 crashes on co_await inside of a statement expression,
//     const size_t bytes = CO_TRY(read);        // so await on one line and CO_TRY on the next
//     co_return bytes;
//   }
//
// A coroutine's parameters are kept as they were declared: pass references only to what outlives the task. A lambda
// that is a coroutine must outlive the task that it returned, for its captures lie in the lambda.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "base/error.h"

namespace bothy::net {

template <class T = void>
class Task;

namespace internal {

// What ends a task: the coroutine that awaits it goes on, without growing the stack.
struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
    return finished.promise().continuation;
  }
  void await_resume() const noexcept {}
};

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }  // our code throws nothing
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;

  Task<T> get_return_object() noexcept;
  void return_value(T result) { value.emplace(std::move(result)); }
  T Take() { return *std::move(value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void Take() const noexcept {}
};

}  // namespace internal

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::Promise<T>;

  explicit Task(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}
  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  // A task is awaited once; the awaiting coroutine gets its value and owns it.
  auto operator co_await() noexcept {
    struct Awaiter {
      std::coroutine_handle<promise_type> coroutine;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
        coroutine.promise().continuation = awaiting;
        return coroutine;
      }
      T await_resume() const { return coroutine.promise().Take(); }
    };
    return Awaiter{coroutine_};
  }

 private:
  std::coroutine_handle<promise_type> coroutine_;
};

namespace internal {
template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}
}  // namespace internal

// TRY for coroutines, on a result that was awaited on a line before.
#define CO_TRY(...) BOTHY_CO_TRY_(BOTHY_CONCAT_(try_result_, __COUNTER__), std::move, (__VA_ARGS__))

// The same, with context in front of the message.
#define CO_TRY_CONTEXT(context, ...) \
  BOTHY_CO_TRY_(BOTHY_CONCAT_(try_result_, __COUNTER__), ::bothy::internal::AddContext(context), (__VA_ARGS__))

#define BOTHY_CO_TRY_(result, change, expression)                                  \
  ({                                                                               \
    auto&& result = expression;                                                    \
    if (!result) [[unlikely]]                                                      \
      co_return tl::unexpected<::bothy::Error>(change(std::move(result).error())); \
    ::bothy::internal::TakeValue(std::move(result));                               \
  })

}  // namespace bothy::net
