#include "net/date.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>

namespace bothy::net {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Takes what it reads from the front of `text`.
struct Reader {
  std::string_view text;
  bool good = true;

  void Skip(std::string_view expected) {
    good = good && text.starts_with(expected);
    if (good) text.remove_prefix(expected.size());
  }
  int Number(size_t digits) {
    int value = 0;
    for (size_t i = 0; i < digits && good; i++) {
      good = i < text.size() && text[i] >= '0' && text[i] <= '9';
      if (good) value = value * 10 + (text[i] - '0');
    }
    if (good) text.remove_prefix(digits);
    return value;
  }
  unsigned Month() {
    for (size_t i = 0; i < kMonths.size(); i++) {
      if (!text.starts_with(kMonths[i])) continue;
      text.remove_prefix(3);
      return static_cast<unsigned>(i + 1);
    }
    good = false;
    return 1;
  }
};

}  // namespace

std::string FormatHttpDate(int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(days).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::optional<int64_t> ParseHttpDate(std::string_view text) {
  Reader reader{text};
  int year = 0, hour = 0, minute = 0, second = 0;
  unsigned month = 1, day = 1;
  const auto read_clock = [&] {
    hour = reader.Number(2);
    reader.Skip(":");
    minute = reader.Number(2);
    reader.Skip(":");
    second = reader.Number(2);
  };
  const size_t comma = text.find(',');
  if (comma == 3) {
    reader.text.remove_prefix(3);
    reader.Skip(", ");
    day = static_cast<unsigned>(reader.Number(2));
    reader.Skip(" ");
    month = reader.Month();
    reader.Skip(" ");
    year = reader.Number(4);
    reader.Skip(" ");
    read_clock();
    reader.Skip(" GMT");
  } else if (comma != std::string_view::npos) {
    reader.text.remove_prefix(comma);
    reader.Skip(", ");
    day = static_cast<unsigned>(reader.Number(2));
    reader.Skip("-");
    month = reader.Month();
    reader.Skip("-");
    year = reader.Number(2);
    year += year < 70 ? 2000 : 1900;  // two digits: the century that they can only mean by now
    reader.Skip(" ");
    read_clock();
    reader.Skip(" GMT");
  } else if (text.size() > 4) {
    reader.text.remove_prefix(3);
    reader.Skip(" ");
    month = reader.Month();
    reader.Skip(" ");
    if (reader.text.starts_with(' ')) {
      reader.Skip(" ");
      day = static_cast<unsigned>(reader.Number(1));
    } else {
      day = static_cast<unsigned>(reader.Number(2));
    }
    reader.Skip(" ");
    read_clock();
    reader.Skip(" ");
    year = reader.Number(4);
  } else {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  if (!reader.good || !reader.text.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  const auto days = std::chrono::sys_days(date);
  return std::chrono::sys_seconds(days).time_since_epoch().count() + hour * 3600 + minute * 60 + second;
}

}  // namespace bothy::net
