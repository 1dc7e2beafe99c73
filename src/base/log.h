// One line an event, for people and for programs:
//
//   2026-11-27T19:20:01.123456Z info listening address=127.0.0.1:8080
//
//   Log(LogLevel::kInfo, "listening", {{"address", address}});
//
// Values are quoted where they need it, so that nothing a client sends can begin a line or pretend to be a field.
// Secrets do not belong in a log; whatever looks like one (an access token, a key that is called password, token,
// secret, authorization or cookie) is blotted out.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// "debug", "info", "warning" or "error".
Result<LogLevel> ParseLogLevel(std::string_view text);

struct LogField {
  std::string_view key;  // a literal: letters, digits and _
  std::string value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const std::filesystem::path& v) : key(k), value(v.string()) {}
  LogField(std::string_view k, const Error& v) : key(k), value(v.message) {}
  template <class T>
    requires(std::integral<T> || std::floating_point<T>)
  LogField(std::string_view k, T v) : key(k), value(fmt::format("{}", v)) {}
};

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  bool to_stderr = true;
  std::filesystem::path file;         // also there, where one is named; its folder is made
  uint64_t file_bytes = 64ull << 20;  // then the file is renamed x.1.log, that one x.2.log, ...
  int files = 5;                      // older ones are removed
};

// Before it is called, and after it failed, what is logged goes to stderr. Not while other threads log.
Result<void> StartLog(const LogOptions& options);

bool LogEnabled(LogLevel level);

// From any thread. A line is with the system when this returns, so the last ones before a crash are kept.
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

// The part of a line after time and level; for tests.
std::string LogText(std::string_view event, std::initializer_list<LogField> fields);

}  // namespace bothy
