#include "codec/jinja/format.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "codec/jinja/number.h"
#include "codec/jinja/text.h"
#include "codec/jinja/text_tools.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

// [[fill]align][sign][z][#][0][width][grouping][.precision][type]
struct Spec {
  std::string fill = " ";
  char align = 0;
  char sign = '-';
  bool no_negative_zero = false;
  bool alternate = false;
  bool zero = false;
  int64_t width = 0;
  char grouping = 0;
  int64_t precision = -1;
  char type = 0;
};

constexpr int64_t kMaxNumber = 1'000'000'000;  // of a width or precision; the memory limit is the real bound

bool IsAlign(char32_t c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

Result<int64_t> TakeNumber(std::string_view text, size_t& i) {
  int64_t number = 0;
  while (i < text.size() && text[i] >= '0' && text[i] <= '9') {
    number = number * 10 + (text[i++] - '0');
    if (number > kMaxNumber) return Fail(ErrorCode::kResourceExhausted, "too many decimal digits in format string");
  }
  return number;
}

Result<Spec> ParseSpec(std::string_view text) {
  Spec spec;
  size_t i = 0;
  const auto at = [&](size_t k) { return k < text.size() ? text[k] : '\0'; };
  if (!text.empty()) {
    size_t next = 0;
    const char32_t fill = NextCodePoint(text, next);
    if (next < text.size() && IsAlign(static_cast<unsigned char>(text[next]))) {
      spec.fill = CodePointString(fill);
      spec.align = text[next];
      i = next + 1;
    } else if (IsAlign(fill)) {
      spec.align = text[0];
      i = 1;
    }
  }
  if (at(i) == '+' || at(i) == '-' || at(i) == ' ') spec.sign = text[i++];
  if (at(i) == 'z') {
    spec.no_negative_zero = true;
    ++i;
  }
  if (at(i) == '#') {
    spec.alternate = true;
    ++i;
  }
  if (at(i) == '0') {
    spec.zero = true;
    ++i;
  }
  spec.width = TRY(TakeNumber(text, i));
  if (at(i) == ',' || at(i) == '_') spec.grouping = text[i++];
  if (at(i) == '.') {
    ++i;
    if (at(i) < '0' || at(i) > '9') return Fail(ErrorCode::kInvalidArgument, "Format specifier missing precision");
    spec.precision = TRY(TakeNumber(text, i));
  }
  if (i < text.size()) spec.type = text[i++];
  if (i != text.size()) return Fail(ErrorCode::kInvalidArgument, "Invalid format specifier '{}'", text);
  return spec;
}

Result<std::string> Place(Runtime& rt, const Spec& spec, std::string_view text, char default_align) {
  const auto length = static_cast<int64_t>(CountCodePoints(text));
  if (spec.width <= length) return std::string(text);
  const int64_t room = spec.width - length;
  const char align = spec.align != 0 ? spec.align : default_align;
  const int64_t left = align == '<' ? 0 : align == '^' ? room / 2 : room;
  return Padded(rt, text, left, room - left, spec.fill);
}

std::string Grouped(std::string_view digits, char separator, size_t group) {
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % group == 0) out += separator;
    out += digits[i];
  }
  return out;
}

// A number's sign, prefix (0x), digits and rest (.5e+10) put into the field, zeros behind the sign where asked for.
Result<std::string> PlaceNumber(Runtime& rt, const Spec& spec, bool negative, std::string prefix, std::string digits,
                                const std::string& rest, size_t group) {
  std::string sign = negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
  const bool zeros = (spec.zero && spec.align == 0) || (spec.align == '=' && spec.fill == "0");
  if (zeros) {
    const auto used = static_cast<int64_t>(sign.size() + prefix.size() + rest.size());
    const int64_t room = spec.width - used;
    if (room > static_cast<int64_t>(digits.size())) {
      TRY(rt.Bytes(static_cast<size_t>(room)));
      if (spec.grouping == 0) {
        digits.insert(0, static_cast<size_t>(room) - digits.size(), '0');
      } else {
        // As many zeros as fill the width once the separators are counted; never a separator in front.
        const auto width = [&](size_t count) { return count + (count - 1) / group; };
        size_t count = digits.size();
        const auto goal = static_cast<size_t>(room);
        if (width(count) < goal) {
          count = std::max(count, (goal * group + 1) / (group + 1));
          while (width(count) < goal) ++count;
        }
        digits.insert(0, count - digits.size(), '0');
      }
    }
  }
  if (spec.grouping != 0) digits = Grouped(digits, spec.grouping, group);
  sign += prefix;
  if (spec.align == '=') {
    const auto used = static_cast<int64_t>(sign.size() + digits.size() + rest.size());
    return sign + TRY(Padded(rt, digits + rest, std::max<int64_t>(spec.width - used, 0), 0, spec.fill));
  }
  return Place(rt, spec, sign + digits + rest, '>');
}

Result<std::string> FormatFloatSpec(Runtime& rt, double value, const Spec& spec) {
  const char type = spec.type;
  std::string text;
  if (type == '%') {
    text = TRY(FormatDouble(rt, std::fabs(value) * 100, 'f', spec.precision < 0 ? 6 : spec.precision, spec.alternate)) +
           "%";
  } else if (type == 0 && spec.precision < 0) {
    text = FloatRepr(std::fabs(value));
  } else if (type == 0) {
    // As 'g', but at least one digit behind the point.
    text = TRY(FormatDouble(rt, std::fabs(value), 'g', std::max<int64_t>(spec.precision, 1), spec.alternate));
    const bool finite = std::isfinite(value);
    if (finite && text.find_first_of(".e") == std::string::npos) {
      if (static_cast<int64_t>(text.size()) < std::max<int64_t>(spec.precision, 1)) {
        text += ".0";
      } else {
        text = TRY(FormatDouble(rt, std::fabs(value), 'e', std::max<int64_t>(spec.precision - 1, 0), false));
        const size_t e = text.find('e');
        std::string mantissa = text.substr(0, e);
        if (mantissa.find('.') != std::string::npos) {
          mantissa.erase(mantissa.find_last_not_of('0') + 1);
          if (mantissa.back() == '.') mantissa.pop_back();
        }
        text = mantissa + text.substr(e);
      }
    }
  } else {
    text = TRY(FormatDouble(rt, std::fabs(value), type == 'n' ? 'g' : type, spec.precision < 0 ? 6 : spec.precision,
                            spec.alternate));
  }
  bool negative = std::signbit(value) && !std::isnan(value);
  if (negative && spec.no_negative_zero && text.find_first_of("123456789") == std::string::npos &&
      std::isfinite(value)) {
    negative = false;
  }
  size_t whole = 0;
  while (whole < text.size() && text[whole] >= '0' && text[whole] <= '9') ++whole;
  if (whole == 0) whole = text.size();  // inf and nan
  return PlaceNumber(rt, spec, negative, "", text.substr(0, whole), text.substr(whole), 3);
}

Result<std::string> FormatIntegerSpec(Runtime& rt, const Value& value, const Spec& spec) {
  if (spec.precision >= 0) {
    return Fail(ErrorCode::kInvalidArgument, "Precision not allowed in integer format specifier");
  }
  if (spec.type == 'c') {
    const bool fits = !value.Is(Kind::kBigInt) && value.integer() >= 0 && value.integer() <= 0x10FFFF;
    if (!fits) return Fail(ErrorCode::kInvalidArgument, "%c arg not in range(0x110000)");
    return Place(rt, spec, CodePointString(static_cast<char32_t>(value.integer())), '<');
  }
  const int base = spec.type == 'x' || spec.type == 'X' ? 16 : spec.type == 'o' ? 8 : spec.type == 'b' ? 2 : 10;
  if (base != 10 && spec.grouping == ',') {
    return Fail(ErrorCode::kInvalidArgument, "Cannot specify ',' with '{}'.", spec.type);
  }
  const BigInt number = ToBigInt(value);
  std::string digits = number.ToString(base);
  if (number.negative()) digits.erase(0, 1);
  std::string prefix;
  if (spec.alternate && base != 10) prefix = std::string("0") + spec.type;
  if (spec.type == 'X') digits = Upper(digits);
  return PlaceNumber(rt, spec, number.negative(), std::move(prefix), std::move(digits), "", base == 10 ? 3 : 4);
}

Result<std::string> FormatStringSpec(Runtime& rt, std::string_view text, const Spec& spec) {
  if (spec.type != 0 && spec.type != 's') {
    return Fail(ErrorCode::kInvalidArgument, "Unknown format code '{}' for object of type 'str'", spec.type);
  }
  if (spec.sign != '-' || spec.alternate || spec.grouping != 0 || spec.align == '=') {
    return Fail(ErrorCode::kInvalidArgument, "sign, '#', ',' and '=' are not allowed in string format specifier");
  }
  if (spec.precision >= 0) text = FirstCodePoints(text, static_cast<size_t>(spec.precision));
  if (spec.zero && spec.align == 0) {
    Spec zeros = spec;
    zeros.fill = "0";
    return Place(rt, zeros, text, '<');
  }
  return Place(rt, spec, text, '<');
}

}  // namespace

Result<std::string> FormatConverted(Runtime& rt, const Value& value, char conversion) {
  if (conversion == 'r') return Repr(rt, value);
  if (conversion == 'a') {
    // ascii() is repr() with all else escaped; what is printable is escaped in a second pass.
    const std::string repr = TRY(Repr(rt, value));
    std::string out;
    for (size_t i = 0; i < repr.size();) {
      const char32_t c = NextCodePoint(repr, i);
      const std::string quoted = c < 0x80 ? std::string(1, static_cast<char>(c)) : QuoteAscii(CodePointString(c));
      out += c < 0x80 ? quoted : quoted.substr(1, quoted.size() - 2);
    }
    return out;
  }
  return Str(rt, value);
}

namespace {

// What a conversion of '%' formatting says: %[(name)][flags][width][.precision]type
struct PercentField {
  bool left = false;
  bool zero = false;
  bool alternate = false;
  bool plus = false;
  bool space = false;
  int64_t width = 0;
  int64_t precision = -1;
};

Result<std::string> PercentNumber(Runtime& rt, const PercentField& field, const Value& value, char type) {
  const auto wrong = [&](std::string_view what) {
    if (value.IsUndefined()) return FailUndefined(value);
    return Fail(ErrorCode::kInvalidArgument, "%{} format: {} is required, not {}", type, what, TypeName(value));
  };
  bool negative = false;
  std::string digits;
  std::string prefix;
  bool numeric_zeros = field.zero;
  if (std::string_view("diouxX").find(type) != std::string_view::npos) {
    Value integer = value;
    const bool decimal = type == 'd' || type == 'i' || type == 'u';
    if (value.Is(Kind::kFloat)) {
      if (!decimal) return wrong("an integer");
      const auto whole = FloatToInteger(rt, value.real());
      if (!whole) return Fail(ErrorCode::kInvalidArgument, "cannot convert float infinity or NaN to integer");
      integer = *whole;
    } else if (!value.IsIntegral()) {
      return wrong(decimal ? "a real number" : "an integer");
    }
    const BigInt number = ToBigInt(integer);
    const int base = decimal ? 10 : type == 'o' ? 8 : 16;
    negative = number.negative();
    digits = number.ToString(base);
    if (negative) digits.erase(0, 1);
    if (type == 'X') digits = Upper(digits);
    if (field.precision > static_cast<int64_t>(digits.size())) {
      TRY(rt.Bytes(static_cast<size_t>(field.precision)));
      digits.insert(0, static_cast<size_t>(field.precision) - digits.size(), '0');
    }
    if (field.alternate && base != 10) prefix = std::string("0") + type;
  } else {
    if (!value.IsNumber()) return wrong("a real number");
    const auto number = ToDouble(value);
    if (!number) return Fail(ErrorCode::kInvalidArgument, "int too large to convert to float");
    negative = std::signbit(*number) && !std::isnan(*number);
    digits =
        TRY(FormatDouble(rt, std::fabs(*number), type, field.precision < 0 ? 6 : field.precision, field.alternate));
    numeric_zeros = field.zero && !field.left;
  }
  const std::string sign = (negative ? "-" : field.plus ? "+" : field.space ? " " : "") + prefix;
  const auto room = field.width - static_cast<int64_t>(sign.size() + digits.size());
  if (room <= 0) return sign + digits;
  if (field.left) return Padded(rt, sign + digits, 0, room, " ");
  if (numeric_zeros) return sign + TRY(Padded(rt, digits, room, 0, "0"));
  return Padded(rt, sign + digits, room, 0, " ");
}

Result<std::string> PercentText(Runtime& rt, const PercentField& field, const Value& value, char type, bool markup) {
  std::string text;
  if (type == 'c') {
    if (value.IsString() && value.string().length == 1) {
      text = value.text();
    } else if (value.IsIntegral() && !value.Is(Kind::kBigInt) && value.integer() >= 0 && value.integer() <= 0x10FFFF) {
      text = CodePointString(static_cast<char32_t>(value.integer()));
    } else {
      return Fail(ErrorCode::kInvalidArgument, "%c requires int or char");
    }
  } else {
    const bool escapes = markup && !(type == 's' && value.IsString() && value.string().markup);
    text = TRY(FormatConverted(rt, value, type));
    if (escapes) text = EscapeHtml(text);
    if (field.precision >= 0) text = FirstCodePoints(text, static_cast<size_t>(field.precision));
  }
  const auto room = std::max<int64_t>(field.width - static_cast<int64_t>(CountCodePoints(text)), 0);
  return Padded(rt, text, field.left ? 0 : room, field.left ? room : 0, " ");
}

}  // namespace

Result<std::string> FormatDouble(Runtime& rt, double value, char type, int64_t precision, bool alternate) {
  const bool upper = type == 'E' || type == 'F' || type == 'G';
  const char lower = static_cast<char>(type | 0x20);
  if (lower != 'e' && lower != 'f' && lower != 'g') {
    return Fail(ErrorCode::kInvalidArgument, "Unknown format code '{}' for object of type 'float'", type);
  }
  if (!std::isfinite(value)) {
    return std::string(std::isnan(value) ? (upper ? "NAN" : "nan")
                       : value < 0       ? (upper ? "-INF" : "-inf")
                                         : (upper ? "INF" : "inf"));
  }
  constexpr int64_t kMostDigits = 100'000;  // a double has no more than 1075 behind its point that are not zero
  if (precision > kMostDigits) {
    return Fail(ErrorCode::kResourceExhausted, "a precision of {} digits, the limit is {}", precision, kMostDigits);
  }
  TRY(rt.Bytes(static_cast<size_t>(precision) + 400));
  if (lower == 'g' && precision == 0) precision = 1;
  const auto format = lower == 'e'   ? std::chars_format::scientific
                      : lower == 'f' ? std::chars_format::fixed
                                     : std::chars_format::general;
  std::string text(static_cast<size_t>(precision) + 400, '\0');
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, format, static_cast<int>(precision));
  text.resize(static_cast<size_t>(end - text.data()));
  if (alternate) {
    // '#': a point always, and for 'g' all digits that were asked for.
    const size_t e = std::min(text.find('e'), text.size());
    std::string mantissa = text.substr(0, e);
    if (mantissa.find('.') == std::string::npos) mantissa += '.';
    if (lower == 'g') {
      const size_t first = mantissa.find_first_of("123456789");
      size_t digits = 0;
      for (size_t i = first == std::string::npos ? 0 : first; i < mantissa.size(); ++i) digits += mantissa[i] != '.';
      if (first == std::string::npos) digits = 1;
      if (digits < static_cast<size_t>(precision)) mantissa.append(static_cast<size_t>(precision) - digits, '0');
    }
    text = mantissa + text.substr(e);
  }
  return upper ? Upper(text) : text;
}

Result<std::string> FormatValue(Runtime& rt, const Value& value, std::string_view spec_text) {
  if (spec_text.empty()) return Str(rt, value);
  if (!value.IsString() && !value.IsNumber()) {
    return Fail(ErrorCode::kInvalidArgument, "unsupported format string passed to {}.__format__", TypeName(value));
  }
  const Spec spec = TRY(ParseSpec(spec_text));
  if (value.IsString()) return FormatStringSpec(rt, value.text(), spec);
  constexpr std::string_view kFloatTypes = "eEfFgG%";
  if (value.Is(Kind::kFloat)) {
    if (spec.type != 0 && spec.type != 'n' && kFloatTypes.find(spec.type) == std::string_view::npos) {
      return Fail(ErrorCode::kInvalidArgument, "Unknown format code '{}' for object of type 'float'", spec.type);
    }
    return FormatFloatSpec(rt, value.real(), spec);
  }
  if (spec.type != 0 && kFloatTypes.find(spec.type) != std::string_view::npos) {
    const auto number = ToDouble(value);
    if (!number) return Fail(ErrorCode::kInvalidArgument, "int too large to convert to float");
    return FormatFloatSpec(rt, *number, spec);
  }
  if (spec.type != 0 && std::string_view("bcdoxXn").find(spec.type) == std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "Unknown format code '{}' for object of type 'int'", spec.type);
  }
  return FormatIntegerSpec(rt, value, spec);
}

Result<Value> FormatPercent(Runtime& rt, const StringObject& format, const Value& values) {
  const bool many = values.Is(Kind::kTuple);
  size_t used = 0;
  bool looked_up = false;
  const auto next = [&]() -> Result<Value> {
    if (many) {
      if (used < values.items().size()) return values.items()[used++];
    } else if (used == 0) {
      ++used;
      return values;
    }
    return Fail(ErrorCode::kInvalidArgument, "not enough arguments for format string");
  };
  const std::string& text = format.text;
  std::string out;
  for (size_t i = 0; i < text.size();) {
    TRY(rt.Step());
    const size_t percent = std::min(text.find('%', i), text.size());
    out.append(text, i, percent - i);
    i = percent + 1;
    if (percent == text.size()) break;
    std::optional<Value> named;
    if (i < text.size() && text[i] == '(') {
      if (!values.IsDict()) return Fail(ErrorCode::kInvalidArgument, "format requires a mapping");
      int open = 1;
      const size_t start = ++i;
      for (; i < text.size() && open > 0; ++i) open += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
      if (open > 0) return Fail(ErrorCode::kInvalidArgument, "incomplete format key");
      const std::string key = text.substr(start, i - 1 - start);
      const Value* found = values.dict().Find(key);
      if (found == nullptr) return Fail(ErrorCode::kInvalidArgument, "format key {} is missing", QuoteString(key));
      named = *found;
      looked_up = true;
    }
    PercentField field;
    for (bool more = true; more && i < text.size();) {
      switch (text[i]) {
        case '-': field.left = true; break;
        case '0': field.zero = true; break;
        case '#': field.alternate = true; break;
        case '+': field.plus = true; break;
        case ' ': field.space = true; break;
        default: more = false;
      }
      if (more) ++i;
    }
    const auto number = [&]() -> Result<int64_t> {
      if (i >= text.size() || text[i] != '*') return TakeNumber(text, i);
      ++i;
      const Value star = TRY(next());
      if (!star.Is(Kind::kInt) && !star.Is(Kind::kBool)) return Fail(ErrorCode::kInvalidArgument, "* wants int");
      if (std::abs(star.integer()) > kMaxNumber) return Fail(ErrorCode::kResourceExhausted, "* is too large");
      return star.integer();
    };
    field.width = TRY(number());
    if (field.width < 0) {
      field.left = true;
      field.width = -field.width;
    }
    if (i < text.size() && text[i] == '.') {
      ++i;
      field.precision = std::max<int64_t>(TRY(number()), 0);
    }
    while (i < text.size() && (text[i] == 'h' || text[i] == 'l' || text[i] == 'L')) ++i;
    if (i >= text.size()) return Fail(ErrorCode::kInvalidArgument, "incomplete format");
    const char type = text[i++];
    if (type == '%') {
      out += '%';
      continue;
    }
    const bool textual = std::string_view("srac").find(type) != std::string_view::npos;
    if (!textual && std::string_view("diouxXeEfFgG").find(type) == std::string_view::npos) {
      return Fail(ErrorCode::kInvalidArgument, "unsupported format character '{}'", type);
    }
    const Value value = named ? *named : TRY(next());
    out +=
        textual ? TRY(PercentText(rt, field, value, type, format.markup)) : TRY(PercentNumber(rt, field, value, type));
    TRY(rt.Fits(out.size()));
  }
  const bool all_used =
      many ? used == values.items().size() : used > 0 || looked_up || values.IsDict() || values.Is(Kind::kList);
  if (!all_used) return Fail(ErrorCode::kInvalidArgument, "not all arguments converted during string formatting");
  return rt.String(std::move(out), format.markup);
}

}  // namespace bothy::jinja
