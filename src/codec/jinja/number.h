// Python's arithmetic: integers that do not overflow, division that rounds down, floats that print as their shortest
// decimal, and the texts that int() and float() take.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

enum class ArithmeticOp : uint8_t { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower };

std::string_view OperatorSign(ArithmeticOp op);

// Both are numbers (a bool is one).
Result<Value> NumberArithmetic(Runtime& rt, ArithmeticOp op, const Value& a, const Value& b);
Value NumberNegated(Runtime& rt, const Value& a);
// Exact, also between integers and floats; neither is NaN, which has no order.
int CompareNumbers(const Value& a, const Value& b);

// An integer of any size as BigInt; the value IsIntegral.
BigInt ToBigInt(const Value& value);
// Nothing where an integer is too large for a float.
std::optional<double> ToDouble(const Value& number);

std::string FloatRepr(double value);  // 0.1, 1e+16, 100000.0, inf
std::string IntegerText(const Value& integer);

// int(text, base) and float(text), with the white space, underscores and signs that Python takes.
std::optional<Value> ParseInteger(Runtime& rt, std::string_view text, int base);
std::optional<double> ParseFloat(std::string_view text);
// The integral part; nothing for infinity and NaN.
std::optional<Value> FloatToInteger(Runtime& rt, double value);

// round(): half goes to the even neighbour, of the exact decimal value.
Result<Value> Round(Runtime& rt, const Value& number, int64_t digits);

}  // namespace bothy::jinja
