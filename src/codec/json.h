// JSON with limits and with errors that name the file and the key. Values are Boost.JSON's; objects keep their order.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy::json {

using boost::json::array;
using boost::json::object;
using boost::json::string;
using boost::json::value;

inline constexpr size_t kMaxDepth = 256;

// `name` is for messages: the file. Invalid UTF-8, trailing text and more than kMaxDepth levels are refused. A value
// takes 24 bytes and an empty array is two bytes of text: text of a size that could be too much memory comes with a
// limit on its values (objects, arrays, strings, numbers ...), over which it is kResourceExhausted.
Result<value> Parse(std::string_view text, std::string_view name, size_t max_values = SIZE_MAX);

// Typed access to members. A missing or null member is nothing; one of another type is kCorrupt, with its key.
Result<std::optional<int64_t>> GetInt(const object& from, std::string_view key);
Result<std::optional<double>> GetNumber(const object& from, std::string_view key);
Result<std::optional<bool>> GetBool(const object& from, std::string_view key);
Result<std::optional<std::string>> GetString(const object& from, std::string_view key);
const object* FindObject(const object& from, std::string_view key);  // null where absent or no object
const array* FindArray(const object& from, std::string_view key);

// Compact, as Boost.JSON writes it.
std::string Serialize(const value& v);

}  // namespace bothy::json
