#include "api/protocol/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace bothy::api {
namespace {

constexpr size_t kMaxShown = 60;  // bytes of a value in a message

std::string_view KindName(const json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::object: return "an object";
    case boost::json::kind::array: return "a list";
    case boost::json::kind::string: return "a text";
    default: return "something long";
  }
}

// Without the exponent that JSON's writer likes.
std::string Plain(double value) { return fmt::format("{}", value); }

std::string Shown(const json::value& value) {
  if (value.is_double()) return Plain(value.get_double());
  const std::string text = json::Serialize(value);
  return text.size() <= kMaxShown ? text : std::string(KindName(value));
}

}  // namespace

Result<json::object> ParseRequest(std::string_view body) {
  auto value = json::Parse(body, "the request's body", kMaxRequestValues);
  if (!value) {
    const bool large = value.error().code == ErrorCode::kResourceExhausted;
    return Fail(large ? ErrorCode::kResourceExhausted : ErrorCode::kInvalidArgument, "{}", value.error().message);
  }
  if (!value->is_object()) return Fail(ErrorCode::kInvalidArgument, "the request's body is not a JSON object");
  return std::move(value->get_object());
}

Result<Fields> Fields::Of(const json::value& value, std::string path) {
  if (value.is_object()) return Fields(value.get_object(), std::move(path));
  return Fail(ErrorCode::kInvalidArgument, "{}: expected an object, found {}", path, Shown(value));
}

const json::value* Fields::Find(std::string_view key) const {
  const json::value* value = object_->if_contains(key);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

tl::unexpected<Error> Fields::Unexpected(std::string_view key, std::string_view expected) const {
  const json::value* value = Find(key);
  return Fail(ErrorCode::kInvalidArgument, "{}: expected {}, found {}", Path(key), expected,
              value != nullptr ? Shown(*value) : "nothing");
}

tl::unexpected<Error> Fields::Missing(std::string_view key) const {
  return Fail(ErrorCode::kInvalidArgument, "{}: is missing", Path(key));
}

Result<std::optional<std::string>> Fields::String(std::string_view key) const {
  const json::value* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return Unexpected(key, "a text");
  return std::string(value->get_string());
}

Result<std::optional<bool>> Fields::Bool(std::string_view key) const {
  const json::value* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) return Unexpected(key, "true or false");
  return value->get_bool();
}

Result<std::optional<int64_t>> Fields::Int(std::string_view key, int64_t low, int64_t high) const {
  const json::value* value = Find(key);
  if (value == nullptr) return std::nullopt;
  boost::json::error_code error;
  const int64_t number = value->is_number() ? value->to_number<int64_t>(error) : 0;
  if (!value->is_number() || error || number < low || number > high) {
    return Unexpected(key, fmt::format("an integer from {} to {}", low, high));
  }
  return number;
}

Result<std::optional<double>> Fields::Number(std::string_view key, double low, double high) const {
  const json::value* value = Find(key);
  if (value == nullptr) return std::nullopt;
  const bool within = value->is_number() && value->to_number<double>() >= low && value->to_number<double>() <= high;
  if (!within) return Unexpected(key, fmt::format("a number from {} to {}", Plain(low), Plain(high)));
  return value->to_number<double>();
}

Result<std::optional<Fields>> Fields::Object(std::string_view key) const {
  const json::value* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) return Unexpected(key, "an object");
  return Fields(value->get_object(), Path(key));
}

Result<const json::array*> Fields::List(std::string_view key, size_t most) const {
  const json::value* value = Find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) return Unexpected(key, "a list");
  if (value->get_array().size() > most) {
    return Fail(ErrorCode::kInvalidArgument, "{}: expected at most {} items, found {}", Path(key), most,
                value->get_array().size());
  }
  return &value->get_array();
}

Result<std::vector<std::string>> Fields::Strings(std::string_view key, size_t most) const {
  std::vector<std::string> texts;
  const json::value* value = Find(key);
  if (value == nullptr) return texts;
  if (value->is_string()) {
    texts.emplace_back(value->get_string());
    return texts;
  }
  if (!value->is_array()) return Unexpected(key, "a text or a list of texts");
  for (const json::value& one : *TRY(List(key, most))) {
    if (!one.is_string()) return Unexpected(key, "a text or a list of texts");
    texts.emplace_back(one.get_string());
  }
  return texts;
}

Result<std::string> Fields::NeedString(std::string_view key) const {
  auto text = TRY(String(key));
  if (!text) return Missing(key);
  return *std::move(text);
}

Result<Fields> Fields::NeedObject(std::string_view key) const {
  const auto object = TRY(Object(key));
  if (!object) return Missing(key);
  return Fields(object->object(), Path(key));
}

Result<const json::array*> Fields::NeedList(std::string_view key, size_t most) const {
  const json::array* list = TRY(List(key, most));
  if (list == nullptr) return Missing(key);
  return list;
}

Result<void> Fields::Refuse(std::string_view key, std::string_view reason) const {
  const json::value* value = Find(key);
  if (value == nullptr) return {};
  const bool nothing =
      (value->is_bool() && !value->get_bool()) || (value->is_string() && value->get_string().empty()) ||
      (value->is_array() && value->get_array().empty()) || (value->is_object() && value->get_object().empty());
  if (nothing) return {};
  return Fail(ErrorCode::kUnimplemented, "{}: {}", Path(key), reason);
}

Result<void> CopyNumber(const Fields& from, std::string_view key, double low, double high, json::object& settings,
                        std::string_view name) {
  if (const auto value = TRY(from.Number(key, low, high))) settings[name] = *value;
  return {};
}

Result<void> CopyInt(const Fields& from, std::string_view key, int64_t low, int64_t high, json::object& settings,
                     std::string_view name) {
  if (const auto value = TRY(from.Int(key, low, high))) settings[name] = *value;
  return {};
}

std::string_view FieldOf(std::string_view message) {
  const size_t end = message.find(": ");
  if (end == std::string_view::npos || end == 0) return "";
  const std::string_view path = message.substr(0, end);
  const bool plain = std::ranges::all_of(path, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '[' || c == ']' || c == '-';
  });
  return plain ? path : "";
}

}  // namespace bothy::api
