#include "codec/jinja/text.h"

#include <fmt/format.h>

#include "codec/jinja/number.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

char QuoteFor(std::string_view text) {
  return text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
}

std::string Quote(std::string_view text, bool ascii) {
  const char quote = QuoteFor(text);
  std::string out(1, quote);
  for (size_t i = 0; i < text.size();) {
    const size_t start = i;
    const char32_t c = NextCodePoint(text, i);
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x80 ? (c >= 0x20 && c < 0x7F) : (!ascii && IsPrintable(c))) {
      out += text.substr(start, i - start);
    } else if (c < 0x100) {
      out += fmt::format("\\x{:02x}", static_cast<uint32_t>(c));
    } else if (c < 0x10000) {
      out += fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
    } else {
      out += fmt::format("\\U{:08x}", static_cast<uint32_t>(c));
    }
  }
  out += quote;
  return out;
}

std::string QuoteBytes(std::string_view data) {
  const char quote = QuoteFor(data);
  std::string out = "b";
  out += quote;
  for (const char c : data) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c >= 0x20 && c < 0x7F) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  out += quote;
  return out;
}

Result<void> AppendItems(Runtime& rt, std::string& out, const std::vector<Value>& items) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    TRY(AppendRepr(rt, out, items[i]));
  }
  return {};
}

Result<void> AppendEntries(Runtime& rt, std::string& out, const DictObject& dict, DictViewObject::Part part) {
  for (size_t i = 0; i < dict.entries.size(); ++i) {
    if (i > 0) out += ", ";
    const auto& [key, value] = dict.entries[i];
    const bool both = part == DictViewObject::Part::kItems;
    if (both) out += '(';
    if (part != DictViewObject::Part::kValues) TRY(AppendRepr(rt, out, key));
    if (both) out += ", ";
    if (part != DictViewObject::Part::kKeys) TRY(AppendRepr(rt, out, value));
    if (both) out += ')';
  }
  return {};
}

Result<void> AppendDict(Runtime& rt, std::string& out, const DictObject& dict) {
  out += '{';
  for (size_t i = 0; i < dict.entries.size(); ++i) {
    if (i > 0) out += ", ";
    TRY(AppendRepr(rt, out, dict.entries[i].first));
    out += ": ";
    TRY(AppendRepr(rt, out, dict.entries[i].second));
  }
  out += '}';
  return {};
}

}  // namespace

std::string QuoteString(std::string_view text) { return Quote(text, false); }

std::string QuoteAscii(std::string_view text) { return Quote(text, true); }

Result<void> AppendRepr(Runtime& rt, std::string& out, const Value& value) {
  // Values share parts, so a text can be far longer than what it came from: the size is checked as it grows.
  TRY(rt.Step());
  const Runtime::Deeper deeper(rt);
  TRY(rt.CheckDepth());
  const size_t before = out.size();
  switch (value.kind()) {
    case Kind::kUndefined: out += "Undefined"; break;
    case Kind::kNone: out += "None"; break;
    case Kind::kBool: out += value.boolean() ? "True" : "False"; break;
    case Kind::kInt:
    case Kind::kBigInt: out += IntegerText(value); break;
    case Kind::kFloat: out += FloatRepr(value.real()); break;
    case Kind::kString:
      TRY(rt.Bytes(value.text().size()));
      if (value.string().markup) {
        out += "Markup(" + QuoteString(value.text()) + ")";
      } else {
        out += QuoteString(value.text());
      }
      break;
    case Kind::kBytes: out += QuoteBytes(value.bytes().data); break;
    case Kind::kList:
      out += '[';
      TRY(AppendItems(rt, out, value.items()));
      out += ']';
      break;
    case Kind::kTuple:
      out += '(';
      TRY(AppendItems(rt, out, value.items()));
      out += value.items().size() == 1 ? ",)" : ")";
      break;
    case Kind::kDict: TRY(AppendDict(rt, out, value.dict())); break;
    case Kind::kDictView: {
      const auto& view = value.As<DictViewObject>();
      out += TypeName(value) + "([";
      TRY(AppendEntries(rt, out, view.dict.dict(), view.part));
      out += "])";
      break;
    }
    case Kind::kRange: {
      const RangeObject& range = value.range();
      out += fmt::format("range({}, {}", range.start, range.stop);
      out += range.step == 1 ? ")" : fmt::format(", {})", range.step);
      break;
    }
    case Kind::kIterator: out += "<" + value.iterator().type + " object>"; break;
    case Kind::kObject: out += TRY(value.object().Repr(rt)); break;
  }
  if (out.size() > before) TRY(rt.Bytes(out.size() - before));
  return rt.Fits(out.size());
}

Result<void> AppendStr(Runtime& rt, std::string& out, const Value& value) {
  if (value.IsString()) {
    TRY(rt.Bytes(value.text().size()));
    out += value.text();
    return {};
  }
  if (value.IsUndefined()) return {};
  return AppendRepr(rt, out, value);
}

Result<std::string> Str(Runtime& rt, const Value& value) {
  std::string out;
  TRY(AppendStr(rt, out, value));
  return out;
}

Result<std::string> Repr(Runtime& rt, const Value& value) {
  std::string out;
  TRY(AppendRepr(rt, out, value));
  return out;
}

std::string ShortRepr(const Value& value) {
  switch (value.kind()) {
    case Kind::kNone: return "None";
    case Kind::kBool: return value.boolean() ? "True" : "False";
    case Kind::kInt: return IntegerText(value);
    case Kind::kFloat: return FloatRepr(value.real());
    case Kind::kString:
      if (value.text().size() <= 100) return QuoteString(value.text());
      return fmt::format("a string of {} characters", value.string().length);
    default: return "<" + TypeName(value) + ">";
  }
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\'': out += "&#39;"; break;
      case '"': out += "&#34;"; break;
      default: out += c;
    }
  }
  return out;
}

Result<Value> Escape(Runtime& rt, const Value& value) {
  if (value.IsString() && value.string().markup) return value;
  return rt.String(EscapeHtml(TRY(Str(rt, value))), true);
}

}  // namespace bothy::jinja
