// The formats of strings that are more than a remark here. Others, as JSON Schema has it, demand nothing.
#pragma once

#include <optional>
#include <string_view>

namespace bothy {

// A pattern for the whole of a string of the format. Exact: date (with the days of each month, leap years too), time,
// date-time, duration, uuid, ipv4, ipv6. The usual ones only: email, hostname, uri. No value without a pattern.
std::optional<std::string_view> PatternOfFormat(std::string_view format);

}  // namespace bothy
