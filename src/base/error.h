// Errors are values: a function that can fail returns Result<T>, and TRY passes a failure on to the caller.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace bothy {

enum class ErrorCode {
  kUsage,               // the command line makes no sense (exit 2)
  kInvalidArgument,     // the caller asked for something that makes no sense
  kUnauthenticated,     // who are you?
  kPermissionDenied,    // I know who you are, and no
  kNotFound,            // there is no such thing
  kAlreadyExists,       // it would have to be made anew, and is there
  kFailedPrecondition,  // right request, wrong state
  kOutOfRange,          // past an end: of a context window, of a file
  kCorrupt,             // bytes from outside that break their format's rules
  kResourceExhausted,   // a limit was reached: memory, steps, size
  kCancelled,           // the caller no longer wants the answer
  kUnimplemented,       // known, not supported
  kUnavailable,         // try again later
  kInternal,            // a bug, or the system failed us
};

std::string_view ErrorCodeName(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // one line for a person: which file, which key or offset, what was expected, what was found
};

template <class T>
using Result = tl::expected<T, Error>;

// return Fail(ErrorCode::kCorrupt, "{}: offset {}: expected {}, found {}", file, offset, expected, found);
template <class... Args>
[[nodiscard]] tl::unexpected<Error> Fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

// Puts `context` in front of the message on the way up: return WithContext(r.error(), "model.gguf").
[[nodiscard]] tl::unexpected<Error> WithContext(Error error, std::string_view context);

namespace internal {
struct AddContext {
  std::string_view context;
  explicit AddContext(std::string_view c) : context(c) {}
  Error operator()(Error error) const { return WithContext(std::move(error), context).value(); }
};

template <class T>
T TakeValue(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}
}  // namespace internal

// auto header = TRY(ReadHeader(source));
#define TRY(...) BOTHY_TRY_(BOTHY_CONCAT_(try_result_, __COUNTER__), std::move, (__VA_ARGS__))

// The same, with context in front of the message: TRY_CONTEXT(path, ParseConfig(text)).
#define TRY_CONTEXT(context, ...) \
  BOTHY_TRY_(BOTHY_CONCAT_(try_result_, __COUNTER__), ::bothy::internal::AddContext(context), (__VA_ARGS__))

#define BOTHY_CONCAT_(a, b) BOTHY_CONCAT_AGAIN_(a, b)
#define BOTHY_CONCAT_AGAIN_(a, b) a##b
#define BOTHY_TRY_(result, change, expression)                                  \
  ({                                                                            \
    auto&& result = expression;                                                 \
    if (!result) [[unlikely]]                                                   \
      return tl::unexpected<::bothy::Error>(change(std::move(result).error())); \
    ::bothy::internal::TakeValue(std::move(result));                            \
  })

// For programmers' errors only; nothing that comes from outside may reach one.
[[noreturn]] void CheckFailed(const char* expression, const char* file, int line);
#define CHECK(condition) ((condition) ? void() : ::bothy::CheckFailed(#condition, __FILE__, __LINE__))
#ifdef BOTHY_CHECKS
#define DCHECK(condition) CHECK(condition)
#else
#define DCHECK(condition) void(sizeof(condition))
#endif

}  // namespace bothy
