// Filters on numbers.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "codec/jinja/arguments.h"
#include "codec/jinja/filters.h"
#include "codec/jinja/number.h"
#include "codec/jinja/operators.h"
#include "codec/jinja/text.h"

namespace bothy::jinja {
namespace {

using Call = Result<Value>;

Call Absolute(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("abs", arguments, {}, 0));
  if (!value.IsNumber()) return Fail(ErrorCode::kInvalidArgument, "bad operand type for abs(): '{}'", TypeName(value));
  if (value.Is(Kind::kFloat)) return Value::Float(std::fabs(value.real()));
  return CompareNumbers(value, Value::Int(0)) < 0 ? Negative(rt, value) : Positive(rt, value);
}

// float(): nothing for a text that is no number; undefined values and other types are told apart by the callers.
std::optional<double> AsFloat(const Value& value) {
  if (value.IsNumber()) return ToDouble(value);
  if (value.IsString()) return ParseFloat(value.text());
  return std::nullopt;
}

Call Integer(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("int", arguments, {"default", "base"}, 0));
  const Value otherwise = bound.Or(0, Value::Int(0));
  if (value.IsUndefined()) return FailUndefined(value);
  if (value.IsIntegral()) return Positive(rt, value);
  if (value.IsString()) {
    TRY(rt.Bytes(value.text().size()));
    const int64_t base = TRY(bound.Integer(1, 10));
    if (base == 0 || (base >= 2 && base <= 36)) {
      if (const auto parsed = ParseInteger(rt, value.text(), static_cast<int>(base))) return *parsed;
    }
  }
  const auto number = AsFloat(value);
  if (!number) return otherwise;
  return FloatToInteger(rt, *number).value_or(otherwise);
}

Call Float(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("float", arguments, {"default"}, 0));
  if (value.IsUndefined()) return FailUndefined(value);
  if (value.IsString()) TRY(rt.Bytes(value.text().size()));
  const auto number = AsFloat(value);
  if (!number && value.IsNumber()) return Fail(ErrorCode::kInvalidArgument, "int too large to convert to float");
  return number ? Value::Float(*number) : bound.Or(0, Value::Float(0));
}

Call RoundFilter(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("round", arguments, {"precision", "method"}, 0));
  std::string_view method = "common";
  if (bound.Has(1)) method = TRY(bound.Text(1));
  if (method != "common" && method != "ceil" && method != "floor") {
    return Fail(ErrorCode::kInvalidArgument, "method must be common, ceil or floor");
  }
  if (value.IsUndefined() && method != "common") return FailUndefined(value);
  if (!value.IsNumber()) return Fail(ErrorCode::kInvalidArgument, "type {} can't be rounded", TypeName(value));
  if (method == "common") {
    if (bound.Has(0) && bound[0].IsNone()) {
      // round(x, None) is an int.
      const Value whole = TRY(Round(rt, value, 0));
      if (!whole.Is(Kind::kFloat)) return whole;
      if (auto integer = FloatToInteger(rt, whole.real())) return *integer;
      return Fail(ErrorCode::kInvalidArgument, "cannot convert float infinity or NaN to integer");
    }
    return Round(rt, value, TRY(bound.Integer(0, 0)));
  }
  const Value unit = TRY(Arithmetic(rt, ArithmeticOp::kPower, Value::Int(10), bound.Or(0, Value::Int(0))));
  Value scaled = TRY(Arithmetic(rt, ArithmeticOp::kMultiply, value, unit));
  if (scaled.Is(Kind::kFloat)) {
    const double whole = method == "ceil" ? std::ceil(scaled.real()) : std::floor(scaled.real());
    auto integer = FloatToInteger(rt, whole);
    if (!integer) return Fail(ErrorCode::kInvalidArgument, "cannot convert float infinity or NaN to integer");
    scaled = *integer;
  }
  return Arithmetic(rt, ArithmeticOp::kDivide, scaled, unit);
}

Call FileSizeFormat(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("filesizeformat", arguments, {"binary"}, 0));
  if (value.IsUndefined()) return FailUndefined(value);
  const auto bytes = AsFloat(value);
  if (!bytes) return Fail(ErrorCode::kInvalidArgument, "could not convert {} to float", ShortRepr(value));
  const bool binary = bound.True(0);
  const double base = binary ? 1024 : 1000;
  if (*bytes == 1) return rt.String("1 Byte");
  if (!std::isfinite(*bytes)) return Fail(ErrorCode::kInvalidArgument, "a size that is not finite");
  if (*bytes < base) return rt.String(fmt::format("{:.0f} Bytes", std::trunc(*bytes)));
  constexpr std::string_view kPrefixes = "kMGTPEZY";
  double unit = base;
  for (const char prefix : kPrefixes) {
    unit *= base;
    if (*bytes < unit || prefix == kPrefixes.back()) {
      const char shown = binary && prefix == 'k' ? 'K' : prefix;
      return rt.String(fmt::format("{:.1f} {}{}", base * *bytes / unit, shown, binary ? "iB" : "B"));
    }
  }
  return Value();
}

constexpr std::array kFilters = {
    NamedFilter{"int", Integer},
    NamedFilter{"float", Float},
    NamedFilter{"round", RoundFilter},
    NamedFilter{"abs", Absolute},
    NamedFilter{"filesizeformat", FileSizeFormat},
};

}  // namespace

std::span<const NamedFilter> NumberFilters() { return kFilters; }

}  // namespace bothy::jinja
