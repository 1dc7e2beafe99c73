// str.format: replacement fields in braces.
#include <charconv>

#include "codec/jinja/attributes.h"
#include "codec/jinja/format.h"
#include "codec/jinja/text.h"

namespace bothy::jinja {

namespace {

constexpr int kMaxFieldNesting = 2;  // a specification may hold fields, which may hold none

struct Formatter {
  Runtime& rt;
  const Arguments& arguments;
  bool markup = false;
  int64_t automatic = 0;  // the next unnumbered field; -1 once fields are numbered

  Result<std::string> Format(std::string_view text, int nesting);
  Result<std::string> Field(std::string_view field, int nesting);
  Result<Value> Lookup(std::string_view name);
  Result<Value> First(std::string_view name);
};

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<std::string> Formatter::Format(std::string_view text, int nesting) {
  if (nesting > kMaxFieldNesting) return Fail(ErrorCode::kInvalidArgument, "Max string recursion exceeded");
  std::string out;
  for (size_t i = 0; i < text.size();) {
    TRY(rt.Step());
    const char c = text[i];
    if (c != '{' && c != '}') {
      out += c;
      ++i;
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == c) {
      out += c;
      i += 2;
      continue;
    }
    if (c == '}') return Fail(ErrorCode::kInvalidArgument, "Single '}}' encountered in format string");
    int open = 1;
    size_t end = i + 1;
    while (end < text.size() && open > 0) {
      open += text[end] == '{' ? 1 : text[end] == '}' ? -1 : 0;
      ++end;
    }
    if (open > 0) {
      return Fail(ErrorCode::kInvalidArgument, "{} in format string",
                  i + 1 == text.size() ? "Single '{' encountered" : "expected '}' before end of string");
    }
    out += TRY(Field(text.substr(i + 1, end - i - 2), nesting));
    TRY(rt.Fits(out.size()));
    i = end;
  }
  return out;
}

Result<std::string> Formatter::Field(std::string_view field, int nesting) {
  // name[!conversion][:spec]; brackets in the name may hold either sign.
  size_t name_end = 0;
  bool bracket = false;
  for (; name_end < field.size(); ++name_end) {
    const char c = field[name_end];
    if (c == '[') bracket = true;
    if (c == ']') bracket = false;
    if (!bracket && (c == '!' || c == ':')) break;
  }
  const Value value = TRY(Lookup(field.substr(0, name_end)));
  std::string_view rest = field.substr(name_end);
  char conversion = 0;
  if (rest.starts_with('!')) {
    if (rest.size() < 2) return Fail(ErrorCode::kInvalidArgument, "end of string while looking for conversion");
    conversion = rest[1];
    if (conversion != 'r' && conversion != 's' && conversion != 'a') {
      return Fail(ErrorCode::kInvalidArgument, "Unknown conversion specifier {}", conversion);
    }
    rest.remove_prefix(2);
    if (!rest.empty() && rest[0] != ':') {
      return Fail(ErrorCode::kInvalidArgument, "expected ':' after conversion specifier");
    }
  }
  std::string spec;
  if (!rest.empty()) spec = TRY(Format(rest.substr(1), nesting + 1));
  if (conversion != 0) {
    const Value converted = rt.String(TRY(FormatConverted(rt, value, conversion)));
    const std::string text = TRY(FormatValue(rt, converted, spec));
    return markup ? EscapeHtml(text) : text;
  }
  const std::string text = TRY(FormatValue(rt, value, spec));
  return markup && !(value.IsString() && value.string().markup) ? EscapeHtml(text) : text;
}

Result<Value> Formatter::First(std::string_view name) {
  int64_t index = -1;
  if (name.empty()) {
    if (automatic < 0) {
      return Fail(ErrorCode::kInvalidArgument,
                  "cannot switch from manual field specification to automatic field numbering");
    }
    index = automatic++;
  } else if (IsNumber(name)) {
    if (automatic > 0) {
      return Fail(ErrorCode::kInvalidArgument,
                  "cannot switch from automatic field numbering to manual field specification");
    }
    automatic = -1;
    if (std::from_chars(name.data(), name.data() + name.size(), index).ec != std::errc()) {
      return Fail(ErrorCode::kInvalidArgument, "Too many decimal digits in format string");
    }
  }
  if (index >= 0) {
    if (static_cast<size_t>(index) < arguments.positional.size()) {
      return arguments.positional[static_cast<size_t>(index)];
    }
    return Fail(ErrorCode::kInvalidArgument, "Replacement index {} out of range for positional args tuple", index);
  }
  TRY(rt.Step(arguments.named.size()));
  for (const auto& [key, value] : arguments.named) {
    if (key == name) return value;
  }
  return Fail(ErrorCode::kInvalidArgument, "format(): no argument is called {}", QuoteString(name));
}

Result<Value> Formatter::Lookup(std::string_view name) {
  const size_t first_end = std::min(name.find_first_of(".["), name.size());
  Value value = TRY(First(name.substr(0, first_end)));
  for (size_t i = first_end; i < name.size();) {
    if (name[i] == '.') {
      const size_t end = std::min(name.find_first_of(".[", i + 1), name.size());
      if (end == i + 1) return Fail(ErrorCode::kInvalidArgument, "Empty attribute in format string");
      value = TRY(GetAttribute(rt, value, name.substr(i + 1, end - i - 1)));
      i = end;
      continue;
    }
    const size_t end = name.find(']', i);
    if (name[i] != '[' || end == std::string_view::npos) {
      return Fail(ErrorCode::kInvalidArgument, "Missing ']' in format string");
    }
    const std::string_view key = name.substr(i + 1, end - i - 1);
    if (key.empty()) return Fail(ErrorCode::kInvalidArgument, "Empty attribute in format string");
    int64_t index = 0;
    if (IsNumber(key) && std::from_chars(key.data(), key.data() + key.size(), index).ec == std::errc()) {
      value = TRY(GetItem(rt, value, Value::Int(index)));
    } else {
      value = TRY(GetItem(rt, value, rt.String(std::string(key))));
    }
    i = end + 1;
    if (i < name.size() && name[i] != '.' && name[i] != '[') {
      return Fail(ErrorCode::kInvalidArgument, "Only '.' or '[' may follow ']' in format field specifier");
    }
  }
  return value;
}

}  // namespace

Result<Value> FormatBraces(Runtime& rt, const StringObject& format, const Arguments& arguments) {
  Formatter formatter{rt, arguments, format.markup};
  return rt.String(TRY(formatter.Format(format.text, 0)), format.markup);
}

}  // namespace bothy::jinja
