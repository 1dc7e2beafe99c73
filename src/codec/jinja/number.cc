#include "codec/jinja/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

tl::unexpected<Error> DividedByZero(std::string_view what) {
  return Fail(ErrorCode::kInvalidArgument, "{} by zero", what);
}

tl::unexpected<Error> TooLarge() {
  return Fail(ErrorCode::kResourceExhausted, "an integer of more than {} bits", BigInt::kMaxBits);
}

Result<Value> Checked(Runtime& rt, BigInt value) {
  if (value.BitLength() > BigInt::kMaxBits) return TooLarge();
  return rt.Integer(std::move(value));
}

// Python's float // and %: the remainder has the divisor's sign and the quotient is whole.
void FloorDivideFloats(double a, double b, double& quotient, double& remainder) {
  remainder = std::fmod(a, b);
  double exact = (a - remainder) / b;
  if (remainder != 0) {
    if ((b < 0) != (remainder < 0)) {
      remainder += b;
      exact -= 1;
    }
  } else {
    remainder = std::copysign(0.0, b);
  }
  if (exact != 0) {
    quotient = std::floor(exact);
    if (exact - quotient > 0.5) quotient += 1;
  } else {
    quotient = std::copysign(0.0, a / b);
  }
}

Result<Value> FloatPower(double base, double exponent) {
  if (base == 0 && exponent < 0) {
    return Fail(ErrorCode::kInvalidArgument, "0.0 cannot be raised to a negative power");
  }
  if (base < 0 && std::isfinite(base) && std::isfinite(exponent) && exponent != std::floor(exponent)) {
    return Fail(ErrorCode::kUnimplemented, "complex numbers are not supported");
  }
  const double power = std::pow(base, exponent);
  if (std::isinf(power) && std::isfinite(base) && std::isfinite(exponent)) {
    return Fail(ErrorCode::kInvalidArgument, "numerical result out of range");
  }
  return Value::Float(power);
}

Result<Value> FloatArithmetic(ArithmeticOp op, double a, double b) {
  double quotient = 0;
  double remainder = 0;
  switch (op) {
    case ArithmeticOp::kAdd: return Value::Float(a + b);
    case ArithmeticOp::kSubtract: return Value::Float(a - b);
    case ArithmeticOp::kMultiply: return Value::Float(a * b);
    case ArithmeticOp::kDivide:
      if (b == 0) return DividedByZero("float division");
      return Value::Float(a / b);
    case ArithmeticOp::kFloorDivide:
    case ArithmeticOp::kModulo:
      if (b == 0) return DividedByZero(op == ArithmeticOp::kModulo ? "float modulo" : "float floor division");
      FloorDivideFloats(a, b, quotient, remainder);
      return Value::Float(op == ArithmeticOp::kModulo ? remainder : quotient);
    case ArithmeticOp::kPower: return FloatPower(a, b);
  }
  return Value();
}

Result<Value> IntegerPower(Runtime& rt, const Value& a, const Value& b) {
  BigInt base = ToBigInt(a);
  const BigInt exponent = ToBigInt(b);
  if (exponent.negative()) {
    const auto x = ToDouble(a);
    const auto y = ToDouble(b);
    if (!x || !y) return Fail(ErrorCode::kInvalidArgument, "int too large to convert to float");
    if (*x == 0) return Fail(ErrorCode::kInvalidArgument, "0.0 cannot be raised to a negative power");
    return FloatPower(*x, *y);
  }
  const auto small = exponent.ToInt64();
  const size_t bits = base.BitLength();
  if (bits > 1 && (!small || static_cast<uint64_t>(*small) > BigInt::kMaxBits / (bits - 1))) return TooLarge();
  if (bits <= 1) {  // 0, 1 or -1
    if (exponent.IsZero()) return Value::Int(1);
    const bool odd =
        (exponent.BitLength() > 0) && IsTrue(TRY(NumberArithmetic(rt, ArithmeticOp::kModulo, b, Value::Int(2))));
    return base.negative() && !odd ? Value::Int(1) : rt.Integer(std::move(base));
  }
  BigInt power(1);
  for (uint64_t rest = static_cast<uint64_t>(*small); rest != 0; rest >>= 1) {
    TRY(rt.Step(1 + base.BitLength() / 64));
    if ((rest & 1) != 0) power = power * base;
    if (rest > 1) base = base * base;
  }
  return Checked(rt, std::move(power));
}

Result<Value> BigArithmetic(Runtime& rt, ArithmeticOp op, const Value& a, const Value& b) {
  const BigInt x = ToBigInt(a);
  const BigInt y = ToBigInt(b);
  TRY(rt.Step(1 + x.BitLength() / 512 * (y.BitLength() / 512)));
  BigInt quotient;
  BigInt remainder;
  switch (op) {
    case ArithmeticOp::kAdd: return Checked(rt, x + y);
    case ArithmeticOp::kSubtract: return Checked(rt, x - y);
    case ArithmeticOp::kMultiply: return Checked(rt, x * y);
    case ArithmeticOp::kFloorDivide:
    case ArithmeticOp::kModulo:
      if (y.IsZero()) return DividedByZero("integer division or modulo");
      TRY(rt.Step(x.BitLength()));
      BigInt::DivideFloor(x, y, quotient, remainder);
      return rt.Integer(op == ArithmeticOp::kModulo ? std::move(remainder) : std::move(quotient));
    default: return IntegerPower(rt, a, b);
  }
}

Result<Value> IntegerArithmetic(Runtime& rt, ArithmeticOp op, const Value& a, const Value& b) {
  if (op == ArithmeticOp::kDivide) {
    if (!IsTrue(b)) return DividedByZero("division");
    const auto x = ToDouble(a);
    const auto y = ToDouble(b);
    if (!x || !y) return Fail(ErrorCode::kInvalidArgument, "integer division result too large for a float");
    return Value::Float(*x / *y);
  }
  if (op == ArithmeticOp::kPower) return IntegerPower(rt, a, b);
  if (!a.Is(Kind::kBigInt) && !b.Is(Kind::kBigInt)) {
    const int64_t x = a.integer();
    const int64_t y = b.integer();
    int64_t result = 0;
    bool overflow = false;
    switch (op) {
      case ArithmeticOp::kAdd: overflow = __builtin_add_overflow(x, y, &result); break;
      case ArithmeticOp::kSubtract: overflow = __builtin_sub_overflow(x, y, &result); break;
      case ArithmeticOp::kMultiply: overflow = __builtin_mul_overflow(x, y, &result); break;
      default:
        if (y == 0) return DividedByZero("integer division or modulo");
        if (y == -1) {  // the one quotient that overflows is INT64_MIN / -1
          overflow = op == ArithmeticOp::kFloorDivide && __builtin_sub_overflow(int64_t{0}, x, &result);
        } else if (op == ArithmeticOp::kFloorDivide) {
          result = x / y - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0);
        } else {
          result = x % y;
          if (result != 0 && (x < 0) != (y < 0)) result += y;
        }
    }
    if (!overflow) return Value::Int(result);
  }
  return BigArithmetic(rt, op, a, b);
}

int CompareIntegerToFloat(const Value& integer, double value) {
  if (std::isinf(value)) return value > 0 ? -1 : 1;
  const BigInt whole = BigInt::FromDouble(value);
  const int order = Compare(ToBigInt(integer), whole);
  if (order != 0) return order;
  const double fraction = value - std::trunc(value);
  return fraction > 0 ? -1 : fraction < 0 ? 1 : 0;
}

// The digits without underscores; nothing where an underscore is not between two digits or there is no digit.
std::optional<std::string> JoinDigits(std::string_view text) {
  std::string out;
  bool digit_before = false;
  for (size_t i = 0; i < text.size();) {
    const char32_t c = NextCodePoint(text, i);
    if (c == '_') {
      if (!digit_before || i == text.size()) return std::nullopt;
      digit_before = false;
      continue;
    }
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (IsDecimal(c)) {
      out += static_cast<char>('0' + DecimalValue(c));
    } else {
      return std::nullopt;
    }
    digit_before = true;
  }
  if (out.empty() || !digit_before) return std::nullopt;
  return out;
}

}  // namespace

std::string_view OperatorSign(ArithmeticOp op) {
  constexpr std::string_view kSigns[] = {"+", "-", "*", "/", "//", "%", "**"};
  return kSigns[static_cast<size_t>(op)];
}

Result<Value> NumberArithmetic(Runtime& rt, ArithmeticOp op, const Value& a, const Value& b) {
  if (a.IsIntegral() && b.IsIntegral()) return IntegerArithmetic(rt, op, a, b);
  const auto x = ToDouble(a);
  const auto y = ToDouble(b);
  if (!x || !y) return Fail(ErrorCode::kInvalidArgument, "int too large to convert to float");
  return FloatArithmetic(op, *x, *y);
}

Value NumberNegated(Runtime& rt, const Value& a) {
  if (a.Is(Kind::kFloat)) return Value::Float(-a.real());
  return rt.Integer(ToBigInt(a).Negated());
}

int CompareNumbers(const Value& a, const Value& b) {
  if (a.Is(Kind::kFloat) && b.Is(Kind::kFloat)) return a.real() < b.real() ? -1 : a.real() > b.real() ? 1 : 0;
  if (a.Is(Kind::kFloat)) return -CompareIntegerToFloat(b, a.real());
  if (b.Is(Kind::kFloat)) return CompareIntegerToFloat(a, b.real());
  if (a.Is(Kind::kBigInt) || b.Is(Kind::kBigInt)) return Compare(ToBigInt(a), ToBigInt(b));
  return a.integer() < b.integer() ? -1 : a.integer() > b.integer() ? 1 : 0;
}

BigInt ToBigInt(const Value& value) { return value.Is(Kind::kBigInt) ? value.big() : BigInt(value.integer()); }

std::optional<double> ToDouble(const Value& number) {
  if (number.Is(Kind::kFloat)) return number.real();
  if (!number.Is(Kind::kBigInt)) return static_cast<double>(number.integer());
  const double value = number.big().ToDouble();
  if (std::isinf(value)) return std::nullopt;
  return value;
}

std::string FloatRepr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 40> buffer{};
  // The fewest digits that read back as the same number, as d.ddde±xx; Python lays the digits out by the exponent.
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(value), std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<size_t>(end - buffer.data()));
  const size_t e = text.find('e');
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  int exponent = 0;
  const char* exponent_start = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(exponent_start, text.data() + text.size(), exponent);
  std::string out = std::signbit(value) ? "-" : "";
  const int count = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    out += digits[0];
    if (count > 1) out += "." + digits.substr(1);
    return out + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  if (exponent >= count - 1) return out + digits + std::string(static_cast<size_t>(exponent - count + 1), '0') + ".0";
  return out + digits.substr(0, static_cast<size_t>(exponent) + 1) + "." +
         digits.substr(static_cast<size_t>(exponent) + 1);
}

std::string IntegerText(const Value& integer) {
  if (integer.Is(Kind::kBigInt)) return integer.big().ToString();
  return fmt::format("{}", integer.integer());
}

std::optional<Value> ParseInteger(Runtime& rt, std::string_view text, int base) {
  text = StripSpace(text);
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  bool prefixed = false;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    const int marked = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (marked != 0 && (base == 0 || base == marked)) {
      base = marked;
      prefixed = true;
      text.remove_prefix(2);
      if (!text.empty() && text[0] == '_') text.remove_prefix(1);
    }
  }
  const auto digits = JoinDigits(text);
  if (!digits) return std::nullopt;
  if (base == 0) {
    // Without a prefix a number that is not zero begins with no zero.
    if (!prefixed && digits->size() > 1 && (*digits)[0] == '0' && digits->find_first_not_of('0') != std::string::npos) {
      return std::nullopt;
    }
    base = 10;
  }
  auto value = BigInt::FromDigits(*digits, base, negative);
  if (!value) return std::nullopt;
  return rt.Integer(std::move(*value));
}

std::optional<double> ParseFloat(std::string_view text) {
  text = StripSpace(text);
  std::string plain;
  bool digit_before = false;
  for (size_t i = 0; i < text.size();) {
    const char32_t c = NextCodePoint(text, i);
    if (c == '_') {
      size_t next = i;
      if (!digit_before || next >= text.size() || !IsDecimal(NextCodePoint(text, next))) return std::nullopt;
      digit_before = false;
      continue;
    }
    digit_before = IsDecimal(c);
    if (c >= 0x80 && !digit_before) return std::nullopt;
    plain += c < 0x80 ? static_cast<char>(c) : static_cast<char>('0' + DecimalValue(c));
  }
  std::string_view rest = plain;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest.empty()) return std::nullopt;
  std::string lower(rest);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (lower == "inf" || lower == "infinity") return negative ? -HUGE_VAL : HUGE_VAL;
  if (lower == "nan") return std::nan("");
  if ((rest[0] < '0' || rest[0] > '9') && rest[0] != '.') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (end != rest.data() + rest.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Too large or too small: the sign of the exponent, or else the length of the text before the point, tells.
    const size_t e = lower.find('e');
    const bool tiny = e != std::string::npos ? lower[e + 1] == '-' : lower[0] == '.' || lower[0] == '0';
    value = tiny ? 0 : HUGE_VAL;
  } else if (error != std::errc()) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

std::optional<Value> FloatToInteger(Runtime& rt, double value) {
  if (!std::isfinite(value)) return std::nullopt;
  return rt.Integer(BigInt::FromDouble(value));
}

Result<Value> Round(Runtime& rt, const Value& number, int64_t digits) {
  if (number.IsIntegral()) {
    if (digits >= 0) return number.Is(Kind::kBool) ? Value::Int(number.integer()) : number;
    if (digits < -5000) return Value::Int(0);
    const Value unit = TRY(NumberArithmetic(rt, ArithmeticOp::kPower, Value::Int(10), Value::Int(-digits)));
    const Value rest = TRY(NumberArithmetic(rt, ArithmeticOp::kModulo, number, unit));
    const Value down = TRY(NumberArithmetic(rt, ArithmeticOp::kSubtract, number, rest));
    const Value twice = TRY(NumberArithmetic(rt, ArithmeticOp::kMultiply, rest, Value::Int(2)));
    const int half = CompareNumbers(twice, unit);
    const Value quotient = TRY(NumberArithmetic(rt, ArithmeticOp::kFloorDivide, down, unit));
    const bool odd = IsTrue(TRY(NumberArithmetic(rt, ArithmeticOp::kModulo, quotient, Value::Int(2))));
    return half > 0 || (half == 0 && odd) ? NumberArithmetic(rt, ArithmeticOp::kAdd, down, unit) : down;
  }
  const double value = number.real();
  if (!std::isfinite(value) || value == 0 || digits > 400) return number;
  if (digits < -310) return Value::Float(std::copysign(0.0, value));
  if (digits >= 0) {
    std::array<char, 800> buffer{};
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                            std::chars_format::fixed, static_cast<int>(digits));
    double rounded = 0;
    std::from_chars(buffer.data(), end, rounded);
    return Value::Float(rounded);
  }
  // Tens and more: the fraction below the point only matters where it breaks a tie.
  const double whole = std::trunc(value);
  const Value integer = rt.Integer(BigInt::FromDouble(whole));
  const Value doubled = TRY(NumberArithmetic(rt, ArithmeticOp::kMultiply, integer, Value::Int(2)));
  const int64_t sticky = value == whole ? 0 : value > 0 ? 1 : -1;
  // Rounded at twice the value, plus one where a fraction was cut off, to twice the unit.
  const Value exact = TRY(NumberArithmetic(rt, ArithmeticOp::kAdd, doubled, Value::Int(sticky)));
  const Value unit = TRY(NumberArithmetic(rt, ArithmeticOp::kPower, Value::Int(10), Value::Int(-digits)));
  const Value wide = TRY(NumberArithmetic(rt, ArithmeticOp::kMultiply, unit, Value::Int(2)));
  const Value rest = TRY(NumberArithmetic(rt, ArithmeticOp::kModulo, exact, wide));
  const Value steps = TRY(NumberArithmetic(rt, ArithmeticOp::kFloorDivide, exact, wide));
  const int half = CompareNumbers(rest, unit);
  const bool odd = IsTrue(TRY(NumberArithmetic(rt, ArithmeticOp::kModulo, steps, Value::Int(2))));
  const Value up = Value::Int(half > 0 || (half == 0 && odd) ? 1 : 0);
  const Value count = TRY(NumberArithmetic(rt, ArithmeticOp::kAdd, steps, up));
  const Value result = TRY(NumberArithmetic(rt, ArithmeticOp::kMultiply, count, unit));
  const auto rounded = ToDouble(result);
  if (!rounded) return Fail(ErrorCode::kInvalidArgument, "rounded value too large to represent");
  return Value::Float(std::copysign(*rounded, value));
}

}  // namespace bothy::jinja
