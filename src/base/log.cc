#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace bothy {
namespace {

constexpr std::string_view kBlot = "***";
constexpr std::array<std::string_view, 6> kSecretKeys = {"password",      "token",  "secret",
                                                         "authorization", "cookie", "signature"};
// What an access token looks like (hf_...), and the words before a credential in a header.
constexpr std::string_view kTokenPrefix = "hf_";
constexpr std::array<std::string_view, 2> kSchemes = {"Bearer ", "Basic "};
constexpr size_t kShortestToken = 8;  // after the prefix: hf_hub and hf_xet are words

constexpr size_t kMaxValue = 4096;  // bytes of one value; an address of a request can be longer

bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::string Blotted(std::string_view value) {
  std::string out;
  size_t at = 0;
  const auto run = [&](size_t from) {
    size_t end = from;
    while (end < value.size() && std::string_view(" \t\r\n\"'&,;").find(value[end]) == std::string_view::npos) end++;
    return end;
  };
  while (at < value.size()) {
    const std::string_view rest = value.substr(at);
    const bool begins_word = at == 0 || !IsWord(value[at - 1]);
    if (begins_word && rest.starts_with(kTokenPrefix)) {
      size_t end = at + kTokenPrefix.size();
      while (end < value.size() && IsWord(value[end])) end++;
      if (end - at - kTokenPrefix.size() >= kShortestToken) {
        out.append(kTokenPrefix).append(kBlot);
        at = end;
        continue;
      }
    }
    const auto scheme = std::ranges::find_if(kSchemes, [&](std::string_view s) { return rest.starts_with(s); });
    if (begins_word && scheme != kSchemes.end()) {
      out.append(*scheme).append(kBlot);
      at = run(at + scheme->size());
      continue;
    }
    out += value[at++];
  }
  return out;
}

void AppendValue(std::string& line, std::string_view value) {
  const bool plain = !value.empty() && std::ranges::all_of(value, [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u > ' ' && u != 0x7f && c != '"' && c != '=' && c != '\\';
  });
  if (plain) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    switch (c) {
      case '"': line += "\\\""; break;
      case '\\': line += "\\\\"; break;
      case '\n': line += "\\n"; break;
      case '\r': line += "\\r"; break;
      case '\t': line += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
          line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
          line += c;
        }
    }
  }
  line += '"';
}

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::shared_ptr<spdlog::logger> MakeLogger(std::vector<spdlog::sink_ptr> sinks, LogLevel level) {
  auto logger = std::make_shared<spdlog::logger>("bothy", sinks.begin(), sinks.end());
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc));
  logger->set_level(LevelOf(level));
  logger->flush_on(spdlog::level::debug);
  return logger;
}

std::shared_ptr<spdlog::logger>& Logger() {
  static std::shared_ptr<spdlog::logger> logger =
      MakeLogger({std::make_shared<spdlog::sinks::stderr_sink_mt>()}, LogLevel::kInfo);
  return logger;
}

}  // namespace

Result<LogLevel> ParseLogLevel(std::string_view text) {
  if (text == "debug") return LogLevel::kDebug;
  if (text == "info") return LogLevel::kInfo;
  if (text == "warning") return LogLevel::kWarning;
  if (text == "error") return LogLevel::kError;
  return Fail(ErrorCode::kInvalidArgument, "log level: expected debug, info, warning or error, found \"{}\"", text);
}

Result<void> StartLog(const LogOptions& options) {
  try {
    std::vector<spdlog::sink_ptr> sinks;
    if (options.to_stderr) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    if (!options.file.empty()) {
      sinks.push_back(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
          options.file.string(), options.file_bytes, static_cast<size_t>(std::max(1, options.files))));
    }
    Logger() = MakeLogger(std::move(sinks), options.level);
    return {};
  } catch (const std::exception& thrown) {
    return Fail(ErrorCode::kInternal, "{}: the log cannot be written: {}", options.file.string(), thrown.what());
  }
}

bool LogEnabled(LogLevel level) { return Logger()->should_log(LevelOf(level)); }

std::string LogText(std::string_view event, std::initializer_list<LogField> fields) {
  std::string line;
  for (const char c : event) line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    const bool secret = std::ranges::any_of(
        kSecretKeys, [&](std::string_view key) { return field.key.find(key) != std::string_view::npos; });
    if (secret) {
      line += kBlot;
    } else if (field.value.size() > kMaxValue) {
      AppendValue(line, Blotted(field.value.substr(0, kMaxValue)) + "...");
    } else {
      AppendValue(line, Blotted(field.value));
    }
  }
  return line;
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!LogEnabled(level)) return;
  Logger()->log(LevelOf(level), spdlog::string_view_t(LogText(event, fields)));
}

}  // namespace bothy
