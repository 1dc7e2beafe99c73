// What the tests of templates share.
#pragma once

#include "codec/jinja/template.h"

namespace bothy::jinja {

// The time at which the golden sets were made: Friday, 2024-07-26T14:05:09.
inline RenderOptions AtGoldenTime() {
  LocalTime now;
  now.time.tm_year = 2024 - 1900;
  now.time.tm_mon = 6;
  now.time.tm_mday = 26;
  now.time.tm_hour = 14;
  now.time.tm_min = 5;
  now.time.tm_sec = 9;
  now.time.tm_wday = 5;
  now.time.tm_yday = 207;
  RenderOptions options;
  options.now = now;
  return options;
}

}  // namespace bothy::jinja
