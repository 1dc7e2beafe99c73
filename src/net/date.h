// Dates as HTTP writes them (RFC 9110, 5.6.7). Seconds since 1970, UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bothy::net {

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string FormatHttpDate(int64_t seconds);

// That form and the two obsolete ones, "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6 08:49:37 1994".
std::optional<int64_t> ParseHttpDate(std::string_view text);

}  // namespace bothy::net
