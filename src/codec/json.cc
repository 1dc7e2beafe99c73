#include "codec/json.h"

#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>

namespace bothy::json {
namespace {

std::string_view KindName(const value& v) {
  switch (v.kind()) {
    case boost::json::kind::null: return "null";
    case boost::json::kind::bool_: return "a boolean";
    case boost::json::kind::int64:
    case boost::json::kind::uint64: return "an integer";
    case boost::json::kind::double_: return "a number";
    case boost::json::kind::string: return "a string";
    case boost::json::kind::array: return "an array";
    case boost::json::kind::object: return "an object";
  }
  return "nothing";
}

tl::unexpected<Error> WrongType(std::string_view key, std::string_view expected, const value& found) {
  return Fail(ErrorCode::kCorrupt, "key \"{}\": expected {}, found {}", key, expected, KindName(found));
}

const value* Find(const object& from, std::string_view key) {
  const value* v = from.if_contains(key);
  return v != nullptr && !v->is_null() ? v : nullptr;
}

}  // namespace

Result<value> Parse(std::string_view text, std::string_view name) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::stream_parser parser({}, options);
  boost::json::error_code error;
  const size_t used = parser.write_some(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (error) return Fail(ErrorCode::kCorrupt, "{}: offset {}: not valid JSON: {}", name, used, error.message());
  if (const size_t more = text.find_first_not_of(" \t\r\n", used); more != std::string_view::npos) {
    return Fail(ErrorCode::kCorrupt, "{}: offset {}: text after the JSON value", name, more);
  }
  return parser.release();
}

Result<std::optional<int64_t>> GetInt(const object& from, std::string_view key) {
  const value* v = Find(from, key);
  if (v == nullptr) return std::nullopt;
  boost::json::error_code error;
  const auto number = v->to_number<int64_t>(error);  // takes 5.0, as Python's json readers do
  if (error) return WrongType(key, "an integer", *v);
  return number;
}

Result<std::optional<double>> GetNumber(const object& from, std::string_view key) {
  const value* v = Find(from, key);
  if (v == nullptr) return std::nullopt;
  if (!v->is_number()) return WrongType(key, "a number", *v);
  return v->to_number<double>();
}

Result<std::optional<bool>> GetBool(const object& from, std::string_view key) {
  const value* v = Find(from, key);
  if (v == nullptr) return std::nullopt;
  if (!v->is_bool()) return WrongType(key, "a boolean", *v);
  return v->get_bool();
}

Result<std::optional<std::string>> GetString(const object& from, std::string_view key) {
  const value* v = Find(from, key);
  if (v == nullptr) return std::nullopt;
  if (!v->is_string()) return WrongType(key, "a string", *v);
  return std::string(v->get_string());
}

const object* FindObject(const object& from, std::string_view key) {
  const value* v = from.if_contains(key);
  return v != nullptr ? v->if_object() : nullptr;
}

const array* FindArray(const object& from, std::string_view key) {
  const value* v = from.if_contains(key);
  return v != nullptr ? v->if_array() : nullptr;
}

std::string Serialize(const value& v) { return boost::json::serialize(v); }

}  // namespace bothy::json
