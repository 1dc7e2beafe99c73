// Filters on text.
#include <algorithm>
#include <array>

#include "codec/jinja/arguments.h"
#include "codec/jinja/filters.h"
#include "codec/jinja/format.h"
#include "codec/jinja/iterate.h"
#include "codec/jinja/text.h"
#include "codec/jinja/text_tools.h"
#include "codec/jinja/unicode.h"
#include "codec/jinja/wrap.h"

namespace bothy::jinja {
namespace {

using Call = Result<Value>;

bool IsMarkup(const Value& value) { return value.IsString() && value.string().markup; }

// The value as a string, which it is already or becomes by str().
Result<Value> Soft(Runtime& rt, const Value& value) {
  if (value.IsString()) return value;
  return rt.String(TRY(Str(rt, value)));
}

template <std::string (*map)(std::string_view)>
Call Mapped(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("this filter", arguments, {}, 0));
  const std::string text = TRY(Str(rt, value));
  TRY(rt.Bytes(text.size(), 4));
  return rt.String(map(text), IsMarkup(value));
}

// Words begin behind white space and - ( { [ <, which differs from str.title().
Call Title(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("title", arguments, {}, 0));
  const std::string text = TRY(Str(rt, value));
  TRY(rt.Bytes(text.size(), 4));
  std::string out;
  const auto separates = [](char32_t c) {
    return IsSpace(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  };
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    const bool separator = separates(NextCodePoint(text, end));
    const size_t first = end;
    for (size_t next = end; next < text.size() && separates(NextCodePoint(text, next)) == separator;) end = next;
    out += Upper(std::string_view(text).substr(i, first - i));
    out += Lower(std::string_view(text).substr(first, end - first));
    i = end;
  }
  return rt.String(std::move(out), IsMarkup(value));
}

Call Trim(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("trim", arguments, {"chars"}, 0));
  const std::string text = TRY(Str(rt, value));
  TRY(rt.Bytes(text.size()));
  if (!bound.Given(0)) return rt.String(std::string(StripSpace(text)), IsMarkup(value));
  const std::string set(TRY(bound.Text(0)));
  TRY(rt.Bytes(set.size(), 32));  // it is sorted
  return rt.String(std::string(Strip(text, &set, true, true)), IsMarkup(value));
}

Call Replace(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("replace", arguments, {"old", "new", "count"}, 2));
  const int64_t count = bound.Given(2) ? TRY(bound.Integer(2, -1)) : -1;
  if (!rt.autoescape) {
    const std::string text = TRY(Str(rt, value));
    return rt.String(TRY(ReplaceText(rt, text, TRY(Str(rt, bound[0])), TRY(Str(rt, bound[1])), count)));
  }
  const bool escapes = IsMarkup(bound[0]) || (IsMarkup(bound[1]) && !IsMarkup(value));
  const Value subject = escapes ? TRY(Escape(rt, value)) : TRY(Soft(rt, value));
  const auto part = [&](const Value& v) -> Result<std::string> {
    return IsMarkup(subject) ? TRY(Escape(rt, v)).text() : TRY(Str(rt, v));
  };
  return rt.String(TRY(ReplaceText(rt, subject.text(), TRY(part(bound[0])), TRY(part(bound[1])), count)),
                   IsMarkup(subject));
}

Call Center(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("center", arguments, {"width"}, 0));
  const Value text = TRY(Soft(rt, value));
  const int64_t width = TRY(bound.Integer(0, 80));
  const auto length = static_cast<int64_t>(text.string().length);
  if (width <= length) return text;
  const int64_t room = width - length;
  const int64_t left = room / 2 + (room & width & 1);
  return rt.String(TRY(Padded(rt, text.text(), left, room - left, " ")), IsMarkup(text));
}

Call Indent(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("indent", arguments, {"width", "first", "blank"}, 0));
  if (value.IsUndefined()) return FailUndefined(value);
  if (!value.IsString()) {
    return Fail(ErrorCode::kInvalidArgument, "can only concatenate str (not \"{}\") to str", TypeName(value));
  }
  std::string indention;
  if (bound.Has(0) && bound[0].IsString()) {
    indention = bound[0].text();
  } else {
    indention = TRY(Repeat(rt, " ", TRY(bound.Integer(0, 4))));
  }
  if (IsMarkup(value) && !(bound.Has(0) && IsMarkup(bound[0]))) indention = EscapeHtml(indention);
  const std::string text = value.text() + "\n";
  const std::vector<std::string_view> lines = SplitLines(text, false);
  TRY(rt.Bytes(text.size()));
  TRY(rt.Bytes(lines.size(), indention.size() + 1));
  std::string out = bound.True(1) ? indention : "";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) {
      out += '\n';
      if (bound.True(2) || !lines[i].empty()) out += indention;
    }
    out += lines[i];
  }
  return rt.String(std::move(out), IsMarkup(value));
}

Call Truncate(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("truncate", arguments, {"length", "killwords", "end", "leeway"}, 0));
  const int64_t length = TRY(bound.Integer(0, 255));
  std::string end = "...";
  if (bound.Has(2)) end = TRY(bound.Text(2));
  const int64_t leeway = bound.Given(3) ? TRY(bound.Integer(3, 5)) : 5;
  const auto end_length = static_cast<int64_t>(CountCodePoints(end));
  if (length < end_length) {
    return Fail(ErrorCode::kInvalidArgument, "expected length >= {}, got {}", end_length, length);
  }
  if (leeway < 0) return Fail(ErrorCode::kInvalidArgument, "expected leeway >= 0, got {}", leeway);
  if (static_cast<int64_t>(TRY(Length(value))) - leeway <= length) return value;
  if (!value.IsString()) return Fail(ErrorCode::kInvalidArgument, "truncate needs a string");
  TRY(rt.Bytes(value.text().size()));
  std::string_view head = FirstCodePoints(value.text(), static_cast<size_t>(length - end_length));
  if (!bound.True(1)) {
    if (const size_t blank = head.rfind(' '); blank != std::string_view::npos) head = head.substr(0, blank);
  }
  return rt.String(std::string(head) + end, IsMarkup(value));
}

Call WordWrap(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound =
      TRY(Bind("wordwrap", arguments, {"width", "break_long_words", "wrapstring", "break_on_hyphens"}, 0));
  if (value.IsUndefined()) return FailUndefined(value);
  if (!value.IsString()) return Fail(ErrorCode::kInvalidArgument, "wordwrap needs a string, not {}", TypeName(value));
  const WrapOptions options{TRY(bound.Integer(0, 79)), bound.True(1, true), bound.True(3, true)};
  if (options.width <= 0) return Fail(ErrorCode::kInvalidArgument, "invalid width {} (must be > 0)", options.width);
  std::string_view separator = "\n";
  if (bound.Given(2)) separator = TRY(bound.Text(2));
  TRY(rt.Bytes(value.text().size(), 4));
  std::string out;
  bool first = true;
  for (const std::string_view line : SplitLines(value.text(), false)) {
    // A line of blanks alone wraps to nothing, but is a line still.
    if (!first) out += separator;
    first = false;
    bool first_part = true;
    for (const std::string& part : WrapText(line, options)) {
      TRY(rt.Bytes(part.size() + separator.size()));
      if (!first_part) out += separator;
      first_part = false;
      out += part;
      TRY(rt.Fits(out.size()));
    }
  }
  return rt.String(std::move(out));
}

Call WordCount(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("wordcount", arguments, {}, 0));
  const std::string text = TRY(Str(rt, value));
  TRY(rt.Bytes(text.size()));
  int64_t count = 0;
  bool in_word = false;
  for (size_t i = 0; i < text.size();) {
    const bool word = IsWordCharacter(NextCodePoint(text, i));
    if (word && !in_word) ++count;
    in_word = word;
  }
  return Value::Int(count);
}

Call ToString(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("string", arguments, {}, 0));
  return Soft(rt, value);
}

Call Format(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Value text = TRY(Soft(rt, value));
  if (arguments.named.empty()) return FormatPercent(rt, text.string(), rt.Tuple(arguments.positional));
  if (!arguments.positional.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "can't handle positional and keyword arguments at the same time");
  }
  std::vector<DictObject::Entry> entries;
  for (const auto& [name, argument] : arguments.named) entries.emplace_back(rt.String(name), argument);
  return FormatPercent(rt, text.string(), rt.Dict(std::move(entries)));
}

constexpr std::array kFilters = {
    NamedFilter{"trim", Trim},           NamedFilter{"upper", Mapped<Upper>},
    NamedFilter{"lower", Mapped<Lower>}, NamedFilter{"capitalize", Mapped<Capitalize>},
    NamedFilter{"title", Title},         NamedFilter{"replace", Replace},
    NamedFilter{"string", ToString},     NamedFilter{"indent", Indent},
    NamedFilter{"format", Format},       NamedFilter{"center", Center},
    NamedFilter{"truncate", Truncate},   NamedFilter{"wordwrap", WordWrap},
    NamedFilter{"wordcount", WordCount},
};

}  // namespace

std::span<const NamedFilter> TextFilters() { return kFilters; }

}  // namespace bothy::jinja
