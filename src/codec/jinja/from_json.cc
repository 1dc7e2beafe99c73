#include "codec/jinja/from_json.h"

#include <string>

#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

Result<Value> FromObject(Runtime& rt, const boost::json::object& object) {
  std::vector<DictObject::Entry> entries;
  entries.reserve(object.size());
  for (const auto& [key, value] : object) {
    entries.emplace_back(rt.String(std::string(key)), TRY(FromJson(rt, value)));
  }
  return rt.Dict(std::move(entries));
}

Result<Value> FromArray(Runtime& rt, const boost::json::array& array) {
  std::vector<Value> items;
  items.reserve(array.size());
  for (const auto& item : array) items.push_back(TRY(FromJson(rt, item)));
  return rt.List(std::move(items));
}

}  // namespace

Result<Value> FromJson(Runtime& rt, const boost::json::value& json) {
  TRY(rt.Step());
  switch (json.kind()) {
    case boost::json::kind::null: return Value();
    case boost::json::kind::bool_: return Value::Bool(json.get_bool());
    case boost::json::kind::int64: return Value::Int(json.get_int64());
    case boost::json::kind::uint64: {
      const std::string digits = std::to_string(json.get_uint64());
      return rt.Integer(*BigInt::FromDigits(digits, 10, false));
    }
    case boost::json::kind::double_: return Value::Float(json.get_double());
    case boost::json::kind::string: {
      const std::string_view text(json.get_string());
      if (const size_t at = FindInvalidUtf8(text); at != std::string_view::npos) {
        return Fail(ErrorCode::kInvalidArgument, "a string is not UTF-8 at byte {}", at);
      }
      return rt.String(std::string(text));
    }
    case boost::json::kind::array: return FromArray(rt, json.get_array());
    case boost::json::kind::object: return FromObject(rt, json.get_object());
  }
  return Value();
}

}  // namespace bothy::jinja
