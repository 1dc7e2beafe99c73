#include "codec/jinja/operators.h"

#include <algorithm>

#include "codec/jinja/arguments.h"
#include "codec/jinja/format.h"
#include "codec/jinja/text.h"
#include "codec/jinja/text_tools.h"

namespace bothy::jinja {
namespace {

tl::unexpected<Error> Unsupported(ArithmeticOp op, const Value& a, const Value& b) {
  return Fail(ErrorCode::kInvalidArgument, "unsupported operand type(s) for {}: '{}' and '{}'", OperatorSign(op),
              TypeName(a), TypeName(b));
}

Result<Value> Sum(Runtime& rt, const Value& a, const Value& b) {
  if (a.IsString() && b.IsString()) {
    TRY(rt.Bytes(a.text().size() + b.text().size()));
    const bool markup = a.string().markup || b.string().markup;
    const auto text = [&](const Value& v) { return markup && !v.string().markup ? EscapeHtml(v.text()) : v.text(); };
    return rt.String(text(a) + text(b), markup);
  }
  if (a.IsSequence() && a.kind() == b.kind()) {
    TRY(rt.Bytes(a.items().size() + b.items().size(), sizeof(Value)));
    std::vector<Value> items;
    items.reserve(a.items().size() + b.items().size());
    items.insert(items.end(), a.items().begin(), a.items().end());
    items.insert(items.end(), b.items().begin(), b.items().end());
    return a.Is(Kind::kTuple) ? rt.Tuple(std::move(items)) : rt.List(std::move(items));
  }
  if (a.Is(Kind::kBytes) && b.Is(Kind::kBytes)) {
    TRY(rt.Bytes(a.bytes().data.size() + b.bytes().data.size()));
    return rt.BytesValue(a.bytes().data + b.bytes().data);
  }
  return Unsupported(ArithmeticOp::kAdd, a, b);
}

bool Repeats(const Value& row, const Value& times) {
  return (row.IsString() || row.IsSequence() || row.Is(Kind::kBytes)) && times.IsIntegral();
}

Result<Value> Repeated(Runtime& rt, const Value& row, const Value& times) {
  const int64_t count = std::max<int64_t>(TRY(ToIndex(times)), 0);
  if (row.IsString()) return rt.String(TRY(Repeat(rt, row.text(), count)), row.string().markup);
  if (row.Is(Kind::kBytes)) return rt.BytesValue(TRY(Repeat(rt, row.bytes().data, count)));
  std::vector<Value> items;
  if (!row.items().empty()) {
    TRY(rt.Bytes(static_cast<size_t>(count), row.items().size() * sizeof(Value)));
    items.reserve(static_cast<size_t>(count) * row.items().size());
    for (int64_t i = 0; i < count; ++i) items.insert(items.end(), row.items().begin(), row.items().end());
  }
  return row.Is(Kind::kTuple) ? rt.Tuple(std::move(items)) : rt.List(std::move(items));
}

}  // namespace

Result<Value> Arithmetic(Runtime& rt, ArithmeticOp op, const Value& a, const Value& b) {
  TRY(rt.Step());
  if (a.IsNumber() && b.IsNumber()) return NumberArithmetic(rt, op, a, b);
  if (op == ArithmeticOp::kModulo && a.IsString()) return FormatPercent(rt, a.string(), b);
  if (a.IsUndefined()) return FailUndefined(a);
  if (b.IsUndefined()) return FailUndefined(b);
  if (op == ArithmeticOp::kAdd) return Sum(rt, a, b);
  if (op == ArithmeticOp::kMultiply && Repeats(a, b)) return Repeated(rt, a, b);
  if (op == ArithmeticOp::kMultiply && Repeats(b, a)) return Repeated(rt, b, a);
  return Unsupported(op, a, b);
}

Result<Value> Negative(Runtime& rt, const Value& a) {
  TRY(rt.Step());
  if (a.IsNumber()) return NumberNegated(rt, a);
  if (a.IsUndefined()) return FailUndefined(a);
  return Fail(ErrorCode::kInvalidArgument, "bad operand type for unary -: '{}'", TypeName(a));
}

Result<Value> Positive(Runtime& rt, const Value& a) {
  TRY(rt.Step());
  if (a.Is(Kind::kBool)) return Value::Int(a.integer());
  if (a.IsNumber()) return a;
  if (a.IsUndefined()) return FailUndefined(a);
  return Fail(ErrorCode::kInvalidArgument, "bad operand type for unary +: '{}'", TypeName(a));
}

Result<Value> Concatenate(Runtime& rt, const std::vector<Value>& parts) {
  // Without autoescape markup is text like any other and the result is plain.
  const bool escapes = rt.autoescape && std::any_of(parts.begin(), parts.end(), [](const Value& part) {
                         return part.IsString() && part.string().markup;
                       });
  std::string out;
  for (const Value& part : parts) {
    if (escapes) {
      out += TRY(Escape(rt, part)).text();
    } else {
      TRY(AppendStr(rt, out, part));
    }
  }
  TRY(rt.Bytes(out.size()));
  return rt.String(std::move(out), escapes);
}

}  // namespace bothy::jinja
