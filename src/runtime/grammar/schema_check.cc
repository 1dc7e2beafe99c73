#include "runtime/grammar/schema_check.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "runtime/grammar/decimal_range.h"
#include "runtime/grammar/string_formats.h"
#include "text/utf8.h"

namespace bothy {
namespace {

constexpr size_t kMaxCheckDepth = 300, kMaxCheckSteps = 1 << 20;

bool IsInteger(const json::value& value) {
  if (value.is_int64() || value.is_uint64()) return true;
  return value.is_double() && std::floor(value.get_double()) == value.get_double();
}

bool HasType(const json::value& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_bool();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  if (type == "number") return value.is_number();
  return type == "integer" && IsInteger(value);
}

Decimal DecimalOf(const json::value& number) {
  if (number.is_int64()) return Decimal::Of(number.get_int64());
  if (number.is_uint64()) return Decimal::Of(number.get_uint64());
  return Decimal::Of(number.get_double());
}

// The count that a keyword gives; `otherwise` where it is not there.
double CountOf(const json::object& schema, std::string_view keyword, double otherwise) {
  const json::value* count = schema.if_contains(keyword);
  return count != nullptr && count->is_number() ? count->to_number<double>() : otherwise;
}

bool CountFits(size_t count, const json::object& schema, std::string_view min, std::string_view max) {
  const auto n = static_cast<double>(count);
  return n >= CountOf(schema, min, 0) && n <= CountOf(schema, max, HUGE_VAL);
}

}  // namespace

bool SameJson(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return DecimalOf(a) == DecimalOf(b);
  if (a.kind() != b.kind()) return false;
  if (const json::array* array = a.if_array()) {
    return std::ranges::equal(*array, b.get_array(), SameJson);
  }
  if (const json::object* object = a.if_object()) {
    const json::object& other = b.get_object();
    return object->size() == other.size() && std::ranges::all_of(*object, [&](const auto& member) {
             const json::value* same = other.if_contains(member.key());
             return same != nullptr && SameJson(member.value(), *same);
           });
  }
  return a == b;
}

Result<bool> SchemaCheck::Meets(const json::value& value, const json::value& schema) {
  if (const bool* simple = schema.if_bool()) return *simple;
  const json::object* object = schema.if_object();
  if (object == nullptr) return document_.Refuse(schema, "a schema is an object, true or false");
  if (depth_ >= kMaxCheckDepth || steps_ >= kMaxCheckSteps) {
    return Fail(ErrorCode::kResourceExhausted, "JSON schema, {}: too much to check a constant against",
                document_.PointerTo(schema));
  }
  depth_++;
  steps_++;
  const bool meets = TRY(MeetsAll(value, *object));
  depth_--;
  return meets;
}

Result<bool> SchemaCheck::MeetsAll(const json::value& value, const json::object& schema) {
  if (const auto reference = schema.if_contains("$ref"); reference != nullptr && reference->is_string()) {
    if (!TRY(Meets(value, *TRY(document_.Resolve(reference->get_string()))))) return false;
    if (document_.references_stand_alone()) return true;
  }
  if (const auto type = schema.if_contains("type")) {
    const auto has = [&](const json::value& name) {
      return name.is_string() && HasType(value, std::string_view(name.get_string()));
    };
    if (type->is_array() ? !std::ranges::any_of(type->get_array(), has) : !has(*type)) return false;
  }
  if (const auto same = schema.if_contains("const"); same != nullptr && !SameJson(value, *same)) return false;
  if (const json::array* among = json::FindArray(schema, "enum")) {
    if (std::ranges::none_of(*among, [&](const json::value& one) { return SameJson(value, one); })) return false;
  }
  if (value.is_number()) {
    const Decimal number = DecimalOf(value);
    const auto holds = [&](std::string_view keyword, auto compare) {
      const json::value* bound = schema.if_contains(keyword);
      return bound == nullptr || !bound->is_number() || compare(number <=> DecimalOf(*bound));
    };
    if (!holds("minimum", [](auto order) { return order >= 0; })) return false;
    if (!holds("maximum", [](auto order) { return order <= 0; })) return false;
    if (!holds("exclusiveMinimum", [](auto order) { return order > 0; })) return false;
    if (!holds("exclusiveMaximum", [](auto order) { return order < 0; })) return false;
    if (schema.contains("multipleOf") && !IsInteger(value)) return false;  // of 1, which is all that is supported
  }
  if (value.is_string() && !TRY(MeetsString(value.get_string(), schema))) return false;
  if (value.is_array() && !TRY(MeetsArray(value.get_array(), schema))) return false;
  if (value.is_object() && !TRY(MeetsObject(value.get_object(), schema))) return false;
  return MeetsOthers(value, schema);
}

Result<bool> SchemaCheck::MeetsOthers(const json::value& value, const json::object& schema) {
  for (const std::string_view keyword : {"allOf", "anyOf", "oneOf"}) {
    const json::array* schemas = json::FindArray(schema, keyword);
    if (schemas == nullptr) continue;
    size_t met = 0;
    for (const json::value& one : *schemas) met += TRY(Meets(value, one)) ? 1 : 0;
    if (keyword == "allOf" ? met < schemas->size() : keyword == "anyOf" ? met == 0 : met != 1) return false;
  }
  return true;
}

Result<bool> SchemaCheck::Matches(std::string_view text, std::string_view pattern, PatternUse use) {
  return TRY(patterns_.Of(pattern, use))->Contains(text);
}

Result<bool> SchemaCheck::MeetsString(std::string_view text, const json::object& schema) {
  if (!CountFits(CountUtf8(text), schema, "minLength", "maxLength")) return false;
  if (const auto pattern = schema.if_contains("pattern"); pattern != nullptr && pattern->is_string()) {
    if (!TRY(Matches(text, pattern->get_string(), PatternUse::kSearch))) return false;
  }
  if (const auto format = schema.if_contains("format"); format != nullptr && format->is_string()) {
    const auto pattern = PatternOfFormat(format->get_string());
    if (pattern && !TRY(Matches(text, *pattern, PatternUse::kWhole))) return false;
  }
  return true;
}

Result<bool> SchemaCheck::MeetsArray(const json::array& array, const json::object& schema) {
  if (!CountFits(array.size(), schema, "minItems", "maxItems")) return false;
  const json::value* items = schema.if_contains("items");
  const json::array* first = json::FindArray(schema, "prefixItems");
  if (items != nullptr && items->is_array()) {
    first = &items->get_array();
    items = schema.if_contains("additionalItems");
  }
  const size_t listed = first != nullptr ? first->size() : 0;
  for (size_t i = 0; i < array.size(); i++) {
    const json::value* of_item = i < listed ? &(*first)[i] : items;
    if (of_item != nullptr && !TRY(Meets(array[i], *of_item))) return false;
  }
  return true;
}

Result<bool> SchemaCheck::MeetsObject(const json::object& object, const json::object& schema) {
  if (!CountFits(object.size(), schema, "minProperties", "maxProperties")) return false;
  if (const json::array* required = json::FindArray(schema, "required")) {
    const auto is_there = [&](const json::value& name) {
      return name.is_string() && object.contains(name.get_string());
    };
    if (!std::ranges::all_of(*required, is_there)) return false;
  }
  const json::object* properties = json::FindObject(schema, "properties");
  const json::object* patterns = json::FindObject(schema, "patternProperties");
  const json::value* additional = schema.if_contains("additionalProperties");
  const json::value* names = schema.if_contains("propertyNames");
  for (const auto& member : object) {
    if (names != nullptr && !TRY(Meets(json::value(member.key()), *names))) return false;
    bool named = false;
    if (const json::value* own = properties != nullptr ? properties->if_contains(member.key()) : nullptr) {
      named = true;
      if (!TRY(Meets(member.value(), *own))) return false;
    }
    if (patterns != nullptr) {
      for (const auto& pattern : *patterns) {
        if (!TRY(Matches(member.key(), pattern.key(), PatternUse::kSearch))) continue;
        named = true;
        if (!TRY(Meets(member.value(), pattern.value()))) return false;
      }
    }
    if (!named && additional != nullptr && !TRY(Meets(member.value(), *additional))) return false;
  }
  return true;
}

}  // namespace bothy
