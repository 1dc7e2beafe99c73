#include "base/human.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace bothy {
namespace {

std::string Scaled(double value, const char* const* units, size_t count) {
  size_t unit = 0;
  while (value >= 999.95 && unit + 1 < count) {
    value /= 1000;
    unit++;
  }
  return unit == 0 ? fmt::format("{:.0f} {}", value, units[0]) : fmt::format("{:.1f} {}", value, units[unit]);
}

// Bytes of "B", "kB", "MiB" ...; 0 for what is no unit.
double BytesOfUnit(std::string unit) {
  std::ranges::transform(unit, unit.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (unit.empty() || unit == "b") return 1;
  constexpr std::string_view kPrefixes = "kmgtp";
  const size_t power = kPrefixes.find(unit.front());
  if (power == std::string_view::npos) return 0;
  const std::string_view rest = std::string_view(unit).substr(1);
  if (rest != "" && rest != "b" && rest != "ib") return 0;
  double bytes = 1;
  for (size_t i = 0; i <= power; i++) bytes *= rest == "ib" ? 1024 : 1000;
  return bytes;
}

}  // namespace

std::string HumanBytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  return Scaled(static_cast<double>(bytes), kUnits, std::size(kUnits));
}

std::string HumanCount(uint64_t count) {
  static constexpr const char* kUnits[] = {"", "k", "M", "B", "T"};
  std::string text = Scaled(static_cast<double>(count), kUnits, std::size(kUnits));
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string HumanSeconds(double seconds) {
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

Result<int64_t> ParseBytes(std::string_view text) {
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  std::string_view unit(read.ptr, text.data() + text.size());
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  const double bytes = number * BytesOfUnit(std::string(unit));
  const bool is_unit = BytesOfUnit(std::string(unit)) > 0;
  if (read.ec != std::errc() || !is_unit || !(number >= 0) || bytes >= 0x1p63) {
    return Fail(ErrorCode::kInvalidArgument, "expected a size like 50GB or 64MiB, found \"{}\"", text);
  }
  return static_cast<int64_t>(bytes);
}

}  // namespace bothy
