#include "codec/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>

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

// Builds the value as Boost's own handler does, but reads numbers with a fraction exactly: its parser may be off by the
// last bit, and then what is written is not what was read.
class ValueHandler {
 public:
  static constexpr size_t max_object_size = boost::json::object::max_size();
  static constexpr size_t max_array_size = boost::json::array::max_size();
  static constexpr size_t max_key_size = boost::json::string::max_size();
  static constexpr size_t max_string_size = boost::json::string::max_size();
  using Code = boost::json::error_code;

  boost::json::value_stack values;
  size_t values_left = 0;
  bool too_many = false;

  bool on_document_begin(Code&) {
    values.reset();
    return true;
  }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(size_t n, Code& code) {
    values.push_object(n);
    return Count(code);
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(size_t n, Code& code) {
    values.push_array(n);
    return Count(code);
  }
  bool on_key_part(std::string_view part, size_t, Code&) {
    values.push_chars(part);
    return true;
  }
  bool on_key(std::string_view part, size_t, Code&) {
    values.push_key(part);
    return true;
  }
  bool on_string_part(std::string_view part, size_t, Code&) {
    values.push_chars(part);
    return true;
  }
  bool on_string(std::string_view part, size_t, Code& code) {
    values.push_string(part);
    return Count(code);
  }
  bool on_number_part(std::string_view part, Code&) {
    number_ += part;
    return true;
  }
  bool on_int64(int64_t number, std::string_view, Code& code) {
    number_.clear();
    values.push_int64(number);
    return Count(code);
  }
  bool on_uint64(uint64_t number, std::string_view, Code& code) {
    number_.clear();
    values.push_uint64(number);
    return Count(code);
  }
  bool on_double(double nearly, std::string_view part, Code& code) {
    number_ += part;
    double number = 0;
    const auto read = std::from_chars(number_.data(), number_.data() + number_.size(), number);
    number_.clear();
    if (read.ec != std::errc()) number = nearly;  // zero or infinity
    if (!std::isfinite(number)) {
      code = boost::json::make_error_code(boost::json::error::exponent_overflow);
      return false;
    }
    values.push_double(number);
    return Count(code);
  }
  bool on_bool(bool value, Code& code) {
    values.push_bool(value);
    return Count(code);
  }
  bool on_null(Code& code) {
    values.push_null();
    return Count(code);
  }
  bool on_comment_part(std::string_view, Code&) { return true; }
  bool on_comment(std::string_view, Code&) { return true; }

 private:
  bool Count(Code& code) {
    too_many = values_left-- == 0;
    if (too_many) code = boost::json::make_error_code(boost::json::error::array_too_large);
    return !too_many;
  }

  std::string number_;  // of a number that is not yet whole
};

}  // namespace

Result<value> Parse(std::string_view text, std::string_view name, size_t max_values) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::basic_parser<ValueHandler> parser(options);
  parser.handler().values_left = max_values;
  boost::json::error_code error;
  const size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (parser.handler().too_many)
    return Fail(ErrorCode::kResourceExhausted, "{}: more than {} values", name, max_values);
  if (error) return Fail(ErrorCode::kCorrupt, "{}: offset {}: not valid JSON: {}", name, used, error.message());
  if (const size_t more = text.find_first_not_of(" \t\r\n", used); more != std::string_view::npos) {
    return Fail(ErrorCode::kCorrupt, "{}: offset {}: text after the JSON value", name, more);
  }
  return parser.handler().values.release();
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
