// The tojson filter: Python's json.dumps with ensure_ascii off, as transformers gives it to templates (jinja2's own
// escapes < > & ' besides).
#include <fmt/format.h>

#include <cmath>

#include "codec/jinja/arguments.h"
#include "codec/jinja/compare.h"
#include "codec/jinja/filters.h"
#include "codec/jinja/iterate.h"
#include "codec/jinja/number.h"
#include "codec/jinja/text_tools.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

struct JsonWriter {
  Runtime& rt;
  bool ensure_ascii = false;
  bool sort_keys = false;
  bool multiline = false;
  std::string indent;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  std::string out;

  Result<void> Write(const Value& value, size_t level);
  Result<void> WriteItems(const std::vector<Value>& items, size_t level);
  Result<void> WriteDict(const DictObject& dict, size_t level);
  Result<void> Break(size_t level);
  Result<void> WriteText(std::string_view text);
  Result<std::string> KeyText(const Value& key) const;
};

std::string JsonFloat(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return FloatRepr(value);
}

Result<void> JsonWriter::WriteText(std::string_view text) {
  TRY(rt.Bytes(text.size()));
  out += '"';
  for (size_t i = 0; i < text.size();) {
    const size_t start = i;
    const char32_t c = NextCodePoint(text, i);
    switch (c) {
      case '"': out += "\\\""; continue;
      case '\\': out += "\\\\"; continue;
      case '\n': out += "\\n"; continue;
      case '\r': out += "\\r"; continue;
      case '\t': out += "\\t"; continue;
      case '\f': out += "\\f"; continue;
      case '\b': out += "\\b"; continue;
      default: break;
    }
    if (c < 0x20 || (ensure_ascii && c >= 0x7F && c < 0x10000)) {
      out += fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
    } else if (ensure_ascii && c >= 0x10000) {
      const uint32_t rest = c - 0x10000;
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
    } else {
      out += text.substr(start, i - start);
    }
  }
  out += '"';
  return rt.Fits(out.size());
}

Result<void> JsonWriter::Break(size_t level) {
  if (!multiline) return {};
  TRY(rt.Bytes(level, indent.size() + 1));
  out += '\n';
  for (size_t i = 0; i < level; ++i) out += indent;
  return rt.Fits(out.size());
}

Result<void> JsonWriter::WriteItems(const std::vector<Value>& items, size_t level) {
  if (items.empty()) {
    out += "[]";
    return {};
  }
  out += '[';
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += item_separator;
    TRY(Break(level + 1));
    TRY(Write(items[i], level + 1));
  }
  TRY(Break(level));
  out += ']';
  return {};
}

Result<std::string> JsonWriter::KeyText(const Value& key) const {
  switch (key.kind()) {
    case Kind::kString: return key.text();
    case Kind::kNone: return "null";
    case Kind::kBool: return key.boolean() ? "true" : "false";
    case Kind::kInt:
    case Kind::kBigInt: return IntegerText(key);
    case Kind::kFloat: return JsonFloat(key.real());
    default:
      return Fail(ErrorCode::kInvalidArgument, "keys must be str, int, float, bool or None, not {}", TypeName(key));
  }
}

Result<void> JsonWriter::WriteDict(const DictObject& dict, size_t level) {
  if (dict.entries.empty()) {
    out += "{}";
    return {};
  }
  std::vector<size_t> order;
  if (sort_keys) {
    std::vector<Value> keys;
    TRY(rt.Bytes(dict.entries.size(), sizeof(Value)));
    for (const auto& [key, value] : dict.entries) keys.push_back(key);
    order = TRY(SortedOrder(rt, keys, false));
  }
  out += '{';
  for (size_t i = 0; i < dict.entries.size(); ++i) {
    if (i > 0) out += item_separator;
    TRY(Break(level + 1));
    const auto& [key, value] = dict.entries[sort_keys ? order[i] : i];
    TRY(WriteText(TRY(KeyText(key))));
    out += key_separator;
    TRY(Write(value, level + 1));
  }
  TRY(Break(level));
  out += '}';
  return {};
}

Result<void> JsonWriter::Write(const Value& value, size_t level) {
  TRY(rt.Bytes(item_separator.size() + key_separator.size()));
  TRY(rt.Step());
  TRY(rt.Fits(out.size()));
  switch (value.kind()) {
    case Kind::kNone: out += "null"; return {};
    case Kind::kBool: out += value.boolean() ? "true" : "false"; return {};
    case Kind::kInt:
    case Kind::kBigInt: out += IntegerText(value); return {};
    case Kind::kFloat: out += JsonFloat(value.real()); return {};
    case Kind::kString: return WriteText(value.text());
    case Kind::kList:
    case Kind::kTuple: return WriteItems(value.items(), level);
    case Kind::kDict: return WriteDict(value.dict(), level);
    case Kind::kUndefined:
      return Fail(ErrorCode::kInvalidArgument, "Object of type Undefined is not JSON serializable ({})",
                  value.undefined().Message());
    default: return Fail(ErrorCode::kInvalidArgument, "Object of type {} is not JSON serializable", TypeName(value));
  }
}

}  // namespace

Result<Value> ToJson(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"}, 0));
  JsonWriter writer{rt};
  writer.ensure_ascii = bound.True(0);
  writer.sort_keys = bound.True(3);
  if (bound.Given(1)) {
    writer.multiline = true;
    writer.item_separator = ",";
    if (bound[1].IsString()) {
      writer.indent = bound[1].text();
    } else {
      writer.indent = TRY(Repeat(rt, " ", TRY(bound.Integer(1, 0))));
    }
  }
  if (bound.Given(2)) {
    const std::vector<Value> separators = TRY(ToVector(rt, bound[2]));
    if (separators.size() != 2 || !separators[0].IsString() || !separators[1].IsString()) {
      return Fail(ErrorCode::kInvalidArgument, "separators must be two strings");
    }
    writer.item_separator = separators[0].text();
    writer.key_separator = separators[1].text();
  }
  TRY(writer.Write(value, 0));
  return rt.String(std::move(writer.out));
}

}  // namespace bothy::jinja
