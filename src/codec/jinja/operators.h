// + - * / // % ** and ~ between any two values.
#pragma once

#include "codec/jinja/number.h"
#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

Result<Value> Arithmetic(Runtime& rt, ArithmeticOp op, const Value& a, const Value& b);
Result<Value> Negative(Runtime& rt, const Value& a);
Result<Value> Positive(Runtime& rt, const Value& a);
// The texts of all, one behind the other; with autoescape, or where one is markup, escaped.
Result<Value> Concatenate(Runtime& rt, const std::vector<Value>& parts);

}  // namespace bothy::jinja
