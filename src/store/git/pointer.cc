#include "store/git/pointer.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace bothy::git {
namespace {

constexpr std::string_view kVersion = "https://git-lfs.github.com/spec/v1";
constexpr std::string_view kOidPrefix = "sha256:";

bool IsSha256(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Decimal, no sign, no leading zero, and below 2^63: sizes are signed in databases and in other programs.
std::optional<uint64_t> ParseSize(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size() || size > INT64_MAX) return std::nullopt;
  return size;
}

bool IsKey(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

}  // namespace

std::optional<Pointer> ParsePointer(std::string_view text) {
  if (text.size() > kMaxPointerBytes || text.size() < kMinPointerBytes || text.back() != '\n') return std::nullopt;
  Pointer pointer;
  bool has_size = false;
  std::string_view last_key;
  for (bool first = true; !text.empty(); first = false) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const std::string_view key = line.substr(0, space);
    const std::string_view value = line.substr(space + 1);
    if (first) {
      if (key != "version" || value != kVersion) return std::nullopt;
      continue;
    }
    if (!IsKey(key) || key <= last_key || key == "version" || value.empty()) return std::nullopt;
    last_key = key;
    if (key == "oid") {
      if (!value.starts_with(kOidPrefix) || !IsSha256(value.substr(kOidPrefix.size()))) return std::nullopt;
      pointer.sha256 = value.substr(kOidPrefix.size());
    } else if (key == "size") {
      const auto size = ParseSize(value);
      if (!size) return std::nullopt;
      pointer.size = *size;
      has_size = true;
    }
  }
  if (pointer.sha256.empty() || !has_size) return std::nullopt;
  return pointer;
}

std::string FormatPointer(const Pointer& pointer) {
  return fmt::format("version {}\noid sha256:{}\nsize {}\n", kVersion, pointer.sha256, pointer.size);
}

}  // namespace bothy::git
