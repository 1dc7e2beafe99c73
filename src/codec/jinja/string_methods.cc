// The methods of str.
#include <algorithm>
#include <array>
#include <limits>

#include "codec/jinja/arguments.h"
#include "codec/jinja/attributes.h"
#include "codec/jinja/format.h"
#include "codec/jinja/iterate.h"
#include "codec/jinja/text.h"
#include "codec/jinja/text_tools.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

using Call = Result<Value>;

// Bytes [begin, end) of the part of a string that find(sub, start, end) and the like look at.
struct Window {
  size_t begin;
  size_t end;
  bool valid;  // start is not behind the end: else nothing is found, not even the empty string
};

Result<Window> FindWindow(Runtime& rt, const StringObject& string, const Bound& bound, size_t first) {
  const auto length = static_cast<int64_t>(string.length);
  const auto cut = [&](int64_t i) { return i < 0 ? std::max<int64_t>(i < -length ? 0 : i + length, 0) : i; };
  const int64_t start = cut(bound.Given(first) ? TRY(bound.Integer(first, 0)) : 0);
  const int64_t end = std::min(cut(bound.Given(first + 1) ? TRY(bound.Integer(first + 1, 0)) : length), length);
  if (start > end) return Window{0, 0, false};
  TRY(rt.Bytes(string.text.size()));
  const size_t begin_byte = ByteOffset(string, static_cast<size_t>(start));
  return Window{begin_byte, ByteOffset(string, static_cast<size_t>(end)), true};
}

enum class Side : uint8_t { kLeft, kRight };

// Offset in bytes, npos where it is not there.
Result<size_t> Search(Runtime& rt, const Value& self, const Bound& bound, Side side) {
  const std::string_view sub = TRY(bound.Text(0));
  const Window window = TRY(FindWindow(rt, self.string(), bound, 1));
  if (!window.valid) return std::string_view::npos;
  const std::string_view part = std::string_view(self.text()).substr(window.begin, window.end - window.begin);
  const size_t at = side == Side::kLeft ? FindText(part, sub) : FindLastText(part, sub);
  return at == std::string_view::npos ? at : at + window.begin;
}

template <Side side>
Call Find(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("find", arguments, {"", "", ""}, 1));
  const size_t at = TRY(Search(rt, self, bound, side));
  if (at == std::string_view::npos) return Value::Int(-1);
  return Value::Int(static_cast<int64_t>(CountCodePoints(std::string_view(self.text()).substr(0, at))));
}

template <Side side>
Call Index(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Value at = TRY(Find<side>(rt, self, arguments));
  if (at.integer() < 0) return Fail(ErrorCode::kInvalidArgument, "substring not found");
  return at;
}

Call Count(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("count", arguments, {"", "", ""}, 1));
  const std::string_view sub = TRY(bound.Text(0));
  const Window window = TRY(FindWindow(rt, self.string(), bound, 1));
  if (!window.valid) return Value::Int(0);
  const std::string_view part = std::string_view(self.text()).substr(window.begin, window.end - window.begin);
  if (sub.empty()) return Value::Int(static_cast<int64_t>(CountCodePoints(part)) + 1);
  int64_t count = 0;
  for (size_t at = FindText(part, sub); at != std::string_view::npos; at = FindText(part, sub, at + sub.size())) {
    ++count;
  }
  return Value::Int(count);
}

template <Side side>
Call StartsOrEndsWith(Runtime& rt, const Value& self, const Arguments& arguments) {
  constexpr std::string_view kName = side == Side::kLeft ? "startswith" : "endswith";
  const Bound bound = TRY(Bind(kName, arguments, {"", "", ""}, 1));
  const Window window = TRY(FindWindow(rt, self.string(), bound, 1));
  const auto matches = [&](const Value& affix) -> Result<bool> {
    if (affix.IsUndefined()) return FailUndefined(affix);
    if (!affix.IsString()) {
      return Fail(ErrorCode::kInvalidArgument, "{} first arg must be str or a tuple of str, not {}", kName,
                  TypeName(affix));
    }
    if (!window.valid) return false;
    TRY(rt.Bytes(std::min(affix.text().size(), self.text().size())));
    const std::string_view part = std::string_view(self.text()).substr(window.begin, window.end - window.begin);
    return side == Side::kLeft ? part.starts_with(affix.text()) : part.ends_with(affix.text());
  };
  if (!bound[0].Is(Kind::kTuple)) return Value::Bool(TRY(matches(bound[0])));
  for (const Value& affix : bound[0].items()) {
    TRY(rt.Step());
    if (TRY(matches(affix))) return Value::Bool(true);
  }
  return Value::Bool(false);
}

template <bool left, bool right>
Call StripMethod(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("strip", arguments, {""}, 0));
  TRY(rt.Bytes(self.text().size()));
  if (!bound.Given(0)) return rt.String(std::string(Strip(self.text(), nullptr, left, right)), self.string().markup);
  const std::string set(TRY(bound.Text(0)));
  TRY(rt.Bytes(set.size(), 32));  // it is sorted
  return rt.String(std::string(Strip(self.text(), &set, left, right)), self.string().markup);
}

template <Side side>
Call Split(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("split", arguments, {"sep", "maxsplit"}, 0));
  const int64_t limit = TRY(bound.Integer(1, -1));
  const size_t most = limit < 0 ? std::numeric_limits<size_t>::max() : static_cast<size_t>(limit);
  TRY(rt.Bytes(self.text().size()));
  std::vector<std::string_view> parts;
  if (!bound.Given(0)) {
    parts = side == Side::kLeft ? SplitWords(self.text(), most) : SplitWordsRight(self.text(), most);
  } else {
    const std::string_view separator = TRY(bound.Text(0));
    if (separator.empty()) return Fail(ErrorCode::kInvalidArgument, "empty separator");
    parts =
        side == Side::kLeft ? SplitText(self.text(), separator, most) : SplitTextRight(self.text(), separator, most);
  }
  return StringList(rt, parts, self.string().markup);
}

Call SplitLinesMethod(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("splitlines", arguments, {"keepends"}, 0));
  TRY(rt.Bytes(self.text().size()));
  return StringList(rt, SplitLines(self.text(), bound.True(0)), self.string().markup);
}

template <Side side>
Call Partition(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("partition", arguments, {""}, 1));
  const std::string_view separator = TRY(bound.Text(0));
  if (separator.empty()) return Fail(ErrorCode::kInvalidArgument, "empty separator");
  const std::string& text = self.text();
  TRY(rt.Bytes(text.size()));
  const size_t at = side == Side::kLeft ? FindText(text, separator) : FindLastText(text, separator);
  const bool markup = self.string().markup;
  const auto part = [&](size_t begin, size_t end) { return rt.String(text.substr(begin, end - begin), markup); };
  if (at == std::string::npos) {
    if (side == Side::kLeft) return rt.Tuple({self, rt.String(""), rt.String("")});
    return rt.Tuple({rt.String(""), rt.String(""), self});
  }
  const size_t behind = at + separator.size();
  return rt.Tuple({part(0, at), part(at, behind), part(behind, text.size())});
}

Call Join(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("join", arguments, {""}, 1));
  const std::vector<Value> items = TRY(ToVector(rt, bound[0]));
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].IsString()) {
      if (items[i].IsUndefined()) return FailUndefined(items[i]);
      return Fail(ErrorCode::kInvalidArgument, "sequence item {}: expected str instance, {} found", i,
                  TypeName(items[i]));
    }
    const bool escapes = self.string().markup && !items[i].string().markup;
    TRY(rt.Bytes(items[i].text().size() + self.text().size()));
    if (i > 0) out += self.text();
    out += escapes ? EscapeHtml(items[i].text()) : items[i].text();
    TRY(rt.Fits(out.size()));
  }
  return rt.String(std::move(out), self.string().markup);
}

Call Replace(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("replace", arguments, {"", "", "count"}, 2));
  const std::string_view from = TRY(bound.Text(0));
  const std::string_view to = TRY(bound.Text(1));
  return rt.String(TRY(ReplaceText(rt, self.text(), from, to, TRY(bound.Integer(2, -1)))), self.string().markup);
}

template <std::string (*map)(std::string_view)>
Call Mapped(Runtime& rt, const Value& self, const Arguments& arguments) {
  TRY(Bind("this method", arguments, {}, 0));
  TRY(rt.Bytes(self.text().size(), 4));
  return rt.String(map(self.text()), self.string().markup);
}

template <bool (*has)(char32_t)>
Call All(Runtime& rt, const Value& self, const Arguments& arguments) {
  TRY(Bind("this method", arguments, {}, 0));
  TRY(rt.Bytes(self.text().size()));
  for (size_t i = 0; i < self.text().size();) {
    if (!has(NextCodePoint(self.text(), i))) return Value::Bool(false);
  }
  return Value::Bool(!self.text().empty());
}

Call IsAsciiMethod(Runtime& rt, const Value& self, const Arguments& arguments) {
  TRY(Bind("isascii", arguments, {}, 0));
  TRY(rt.Bytes(self.text().size()));
  return Value::Bool(self.string().IsAscii());
}

Call IsPrintableMethod(Runtime& rt, const Value& self, const Arguments& arguments) {
  if (self.text().empty()) return Value::Bool(true);
  return All<IsPrintable>(rt, self, arguments);
}

Call IsIdentifier(Runtime& rt, const Value& self, const Arguments& arguments) {
  TRY(Bind("isidentifier", arguments, {}, 0));
  TRY(rt.Bytes(self.text().size()));
  bool good = !self.text().empty();
  for (size_t i = 0; i < self.text().size() && good;) {
    const bool first = i == 0;
    const char32_t c = NextCodePoint(self.text(), i);
    good = first ? IsIdentifierStart(c) : IsIdentifierPart(c);
  }
  return Value::Bool(good);
}

template <bool (*test)(std::string_view)>
Call Tested(Runtime& rt, const Value& self, const Arguments& arguments) {
  TRY(Bind("this method", arguments, {}, 0));
  TRY(rt.Bytes(self.text().size()));
  return Value::Bool(test(self.text()));
}

enum class Align : uint8_t { kLeft, kRight, kCenter };

template <Align align>
Call Justify(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("this method", arguments, {"", ""}, 1));
  const int64_t width = TRY(bound.Integer(0, 0));
  std::string_view fill = " ";
  if (bound.Has(1)) fill = TRY(bound.Text(1));
  if (CountCodePoints(fill) != 1) {
    return Fail(ErrorCode::kInvalidArgument, "the fill character must be exactly one character long");
  }
  const auto length = static_cast<int64_t>(self.string().length);
  if (width <= length) return self;
  const int64_t room = width - length;
  // Python puts the odd blank to the left where the width is odd.
  const int64_t left = align == Align::kLeft ? 0 : align == Align::kRight ? room : room / 2 + (room & width & 1);
  return rt.String(TRY(Padded(rt, self.text(), left, room - left, fill)), self.string().markup);
}

Call ZeroFill(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("zfill", arguments, {""}, 1));
  const int64_t width = TRY(bound.Integer(0, 0));
  const auto length = static_cast<int64_t>(self.string().length);
  if (width <= length) return self;
  const bool sign = !self.text().empty() && (self.text()[0] == '-' || self.text()[0] == '+');
  std::string out = TRY(Padded(rt, self.text().substr(sign ? 1 : 0), width - length, 0, "0"));
  return rt.String((sign ? self.text().substr(0, 1) : "") + out, self.string().markup);
}

Call ExpandTabs(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("expandtabs", arguments, {"tabsize"}, 0));
  const int64_t size = TRY(bound.Integer(0, 8));
  std::string out;
  int64_t column = 0;
  for (size_t i = 0; i < self.text().size();) {
    const char32_t c = NextCodePoint(self.text(), i);
    if (c == '\t') {
      if (size <= 0) continue;
      const int64_t blanks = size - column % size;
      TRY(rt.Bytes(static_cast<size_t>(blanks)));
      out.append(static_cast<size_t>(blanks), ' ');
      column += blanks;
      TRY(rt.Fits(out.size()));
      continue;
    }
    column = c == '\n' || c == '\r' ? 0 : column + 1;
    AppendCodePoint(out, c);
  }
  return rt.String(std::move(out), self.string().markup);
}

Call RemovePrefix(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("removeprefix", arguments, {""}, 1));
  const std::string_view prefix = TRY(bound.Text(0));
  TRY(rt.Bytes(self.text().size()));
  if (!self.text().starts_with(prefix)) return self;
  return rt.String(self.text().substr(prefix.size()), self.string().markup);
}

Call RemoveSuffix(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("removesuffix", arguments, {""}, 1));
  const std::string_view suffix = TRY(bound.Text(0));
  TRY(rt.Bytes(self.text().size()));
  if (suffix.empty() || !self.text().ends_with(suffix)) return self;
  return rt.String(self.text().substr(0, self.text().size() - suffix.size()), self.string().markup);
}

Call Encode(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("encode", arguments, {"encoding", "errors"}, 0));
  std::string encoding = "utf-8";
  if (bound.Has(0)) encoding = Lower(TRY(bound.Text(0)));
  std::replace(encoding.begin(), encoding.end(), '_', '-');
  const bool is_ascii = encoding == "ascii" || encoding == "us-ascii";
  if (!is_ascii && encoding != "utf-8" && encoding != "utf8") {
    return Fail(ErrorCode::kUnimplemented, "encode(): only utf-8 and ascii are supported, not {}", encoding);
  }
  if (is_ascii && !self.string().IsAscii()) {
    return Fail(ErrorCode::kInvalidArgument, "'ascii' codec can't encode characters");
  }
  if (FindInvalidUtf8(self.text()) != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "'utf-8' codec can't encode characters: surrogates not allowed");
  }
  TRY(rt.Bytes(self.text().size()));
  return rt.BytesValue(self.text());
}

Call FormatMethod(Runtime& rt, const Value& self, const Arguments& arguments) {
  return FormatBraces(rt, self.string(), arguments);
}

Call FormatMap(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("format_map", arguments, {""}, 1));
  if (!bound[0].IsDict()) return Fail(ErrorCode::kInvalidArgument, "format_map() argument must be a dict");
  Arguments named;
  for (const auto& [key, value] : bound[0].dict().entries) {
    if (key.IsString()) named.named.emplace_back(key.text(), value);
  }
  TRY(rt.Step(named.named.size()));
  return FormatBraces(rt, self.string(), named);
}

Call MakeTranslation(Runtime& rt, const Value&, const Arguments& arguments) {
  const Bound bound = TRY(Bind("maketrans", arguments, {"", "", ""}, 1));
  std::vector<DictObject::Entry> entries;
  if (!bound.Has(1)) {
    if (!bound[0].IsDict()) return Fail(ErrorCode::kInvalidArgument, "maketrans() with one argument takes a dict");
    for (const auto& [key, value] : bound[0].dict().entries) {
      if (key.IsString() && key.string().length != 1) {
        return Fail(ErrorCode::kInvalidArgument, "string keys in translate table must be of length 1");
      }
      size_t start = 0;
      entries.emplace_back(key.IsString() ? Value::Int(static_cast<int64_t>(NextCodePoint(key.text(), start))) : key,
                           value);
    }
    return rt.Dict(std::move(entries));
  }
  const std::u32string from = CodePoints(TRY(bound.Text(0)));
  const std::u32string to = CodePoints(TRY(bound.Text(1)));
  if (from.size() != to.size()) {
    return Fail(ErrorCode::kInvalidArgument, "the first two maketrans arguments must have equal length");
  }
  TRY(rt.Step(from.size()));
  for (size_t i = 0; i < from.size(); ++i) entries.emplace_back(Value::Int(from[i]), Value::Int(to[i]));
  if (bound.Has(2)) {
    for (const char32_t c : CodePoints(TRY(bound.Text(2)))) entries.emplace_back(Value::Int(c), Value());
  }
  return rt.Dict(std::move(entries));
}

Call Translate(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("translate", arguments, {""}, 1));
  std::string out;
  for (size_t i = 0; i < self.text().size();) {
    const char32_t c = NextCodePoint(self.text(), i);
    TRY(rt.Step());
    const Value key = Value::Int(static_cast<int64_t>(c));
    std::optional<Value> mapped;
    if (bound[0].IsDict()) {
      if (const Value* found = bound[0].dict().Find(key)) mapped = *found;
    } else if (bound[0].IsSequence() || bound[0].IsString()) {
      const Value item = TRY(GetItem(rt, bound[0], key));
      if (!item.IsUndefined()) mapped = item;
    } else {
      return Fail(ErrorCode::kInvalidArgument, "'{}' object is not subscriptable", TypeName(bound[0]));
    }
    if (!mapped) {
      AppendCodePoint(out, c);
    } else if (mapped->IsString()) {
      TRY(rt.Bytes(mapped->text().size()));
      out += mapped->text();
      TRY(rt.Fits(out.size()));
    } else if (mapped->Is(Kind::kInt) && mapped->integer() >= 0 && mapped->integer() <= 0x10FFFF) {
      AppendCodePoint(out, static_cast<char32_t>(mapped->integer()));
    } else if (!mapped->IsNone()) {
      return Fail(ErrorCode::kInvalidArgument, "character mapping must return integer, None or str");
    }
  }
  return rt.String(std::move(out), self.string().markup);
}

// Markup alone has these two.
Call StripTagsMethod(Runtime& rt, const Value& self, const Arguments&) {
  return rt.String(TRY(StripTags(rt, self.text())));
}

constexpr std::array kMethods = {
    Method{"capitalize", Mapped<Capitalize>},
    Method{"casefold", Mapped<CaseFold>},
    Method{"center", Justify<Align::kCenter>},
    Method{"count", Count},
    Method{"encode", Encode},
    Method{"endswith", StartsOrEndsWith<Side::kRight>},
    Method{"expandtabs", ExpandTabs},
    Method{"find", Find<Side::kLeft>},
    Method{"format", FormatMethod},
    Method{"format_map", FormatMap},
    Method{"index", Index<Side::kLeft>},
    Method{"isalnum", All<IsAlnum>},
    Method{"isalpha", All<IsAlpha>},
    Method{"isascii", IsAsciiMethod},
    Method{"isdecimal", All<IsDecimal>},
    Method{"isdigit", All<IsDigit>},
    Method{"isidentifier", IsIdentifier},
    Method{"islower", Tested<IsLowerText>},
    Method{"isnumeric", All<IsNumeric>},
    Method{"isprintable", IsPrintableMethod},
    Method{"isspace", All<IsSpace>},
    Method{"istitle", Tested<IsTitleText>},
    Method{"isupper", Tested<IsUpperText>},
    Method{"join", Join},
    Method{"ljust", Justify<Align::kLeft>},
    Method{"lower", Mapped<Lower>},
    Method{"lstrip", StripMethod<true, false>},
    Method{"maketrans", MakeTranslation},
    Method{"partition", Partition<Side::kLeft>},
    Method{"removeprefix", RemovePrefix},
    Method{"removesuffix", RemoveSuffix},
    Method{"replace", Replace},
    Method{"rfind", Find<Side::kRight>},
    Method{"rindex", Index<Side::kRight>},
    Method{"rjust", Justify<Align::kRight>},
    Method{"rpartition", Partition<Side::kRight>},
    Method{"rsplit", Split<Side::kRight>},
    Method{"rstrip", StripMethod<false, true>},
    Method{"split", Split<Side::kLeft>},
    Method{"splitlines", SplitLinesMethod},
    Method{"startswith", StartsOrEndsWith<Side::kLeft>},
    Method{"strip", StripMethod<true, true>},
    Method{"swapcase", Mapped<SwapCase>},
    Method{"title", Mapped<TitleCase>},
    Method{"translate", Translate},
    Method{"upper", Mapped<Upper>},
    Method{"zfill", ZeroFill},
    Method{"striptags", StripTagsMethod},
};

}  // namespace

std::span<const Method> StringMethods() { return std::span(kMethods).first(kMethods.size() - 1); }
std::span<const Method> MarkupMethods() { return kMethods; }

}  // namespace bothy::jinja
