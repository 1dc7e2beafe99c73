#include <fmt/format.h>

#include <utility>

#include "codec/jinja/attributes.h"
#include "codec/jinja/compare.h"
#include "codec/jinja/filters.h"
#include "codec/jinja/functions.h"
#include "codec/jinja/interpreter.h"
#include "codec/jinja/iterate.h"
#include "codec/jinja/operators.h"
#include "codec/jinja/text.h"

namespace bothy::jinja {

Result<Value> Interpreter::Evaluate(const Expression& expression) {
  if (expression.kind == ExpressionKind::kConstant) return expression.constant;
  const Runtime::Deeper deeper(rt_);
  auto step = rt_.Step();
  if (step) step = rt_.CheckDepth();
  Result<Value> value = step ? EvaluateKind(expression) : tl::unexpected(std::move(step).error());
  if (!value) return tl::unexpected(Located(std::move(value).error(), expression.line));
  return value;
}

Result<Value> Interpreter::EvaluateKind(const Expression& expression) {
  switch (expression.kind) {
    case ExpressionKind::kConstant: return expression.constant;
    case ExpressionKind::kName:
    case ExpressionKind::kNamespaceName: return EvaluateName(expression);
    case ExpressionKind::kTuple:
      return EvaluateAll(expression.operands).map([this](auto items) { return rt_.Tuple(std::move(items)); });
    case ExpressionKind::kList:
      return EvaluateAll(expression.operands).map([this](auto items) { return rt_.List(std::move(items)); });
    case ExpressionKind::kDict: return EvaluateDict(expression);
    case ExpressionKind::kArithmetic: return EvaluateArithmetic(expression);
    case ExpressionKind::kNegative:
    case ExpressionKind::kPositive:
    case ExpressionKind::kNot: {
      const Value value = TRY(Evaluate(*expression.operands[0]));
      if (expression.kind == ExpressionKind::kNot) return Value::Bool(!IsTrue(value));
      return expression.kind == ExpressionKind::kNegative ? Negative(rt_, value) : Positive(rt_, value);
    }
    case ExpressionKind::kAnd:
    case ExpressionKind::kOr: return EvaluateAndOr(expression);
    case ExpressionKind::kConcatenate: return EvaluateConcatenate(expression);
    case ExpressionKind::kCompare: return EvaluateCompare(expression);
    case ExpressionKind::kConditional: return EvaluateConditional(expression);
    case ExpressionKind::kAttribute:
    case ExpressionKind::kItem: return EvaluateSubscript(expression);
    case ExpressionKind::kSlice: return EvaluateSlice(expression);
    case ExpressionKind::kCall: return EvaluateCall(expression, nullptr);
    case ExpressionKind::kFilter: return EvaluateFilter(expression);
    case ExpressionKind::kTest: return EvaluateTest(expression);
  }
  return Value();
}

Result<Value> Interpreter::EvaluateName(const Expression& expression) {
  if (const Value* found = scope_->Find(expression.name)) return *found;
  if (auto function = FindFunction(rt_, expression.name)) {
    // The same object each time, so that `is sameas` holds.
    globals_->Set(expression.name, *function);
    return *function;
  }
  return rt_.Undefined(expression.name);
}

Result<Value> Interpreter::EvaluateArithmetic(const Expression& expression) {
  const Value left = TRY(Evaluate(*expression.operands[0]));
  const Value right = TRY(Evaluate(*expression.operands[1]));
  return Arithmetic(rt_, expression.arithmetic, left, right);
}

Result<Value> Interpreter::EvaluateAndOr(const Expression& expression) {
  const Value left = TRY(Evaluate(*expression.operands[0]));
  if (IsTrue(left) == (expression.kind == ExpressionKind::kOr)) return left;
  return Evaluate(*expression.operands[1]);
}

Result<Value> Interpreter::EvaluateConcatenate(const Expression& expression) {
  return Concatenate(rt_, TRY(EvaluateAll(expression.operands)));
}

Result<Value> Interpreter::EvaluateCompare(const Expression& expression) {
  Value left = TRY(Evaluate(*expression.operands[0]));
  for (size_t i = 0; i < expression.comparisons.size(); ++i) {
    Value right = TRY(Evaluate(*expression.operands[i + 1]));
    if (!TRY(Compare(rt_, expression.comparisons[i], left, right))) return Value::Bool(false);
    left = std::move(right);
  }
  return Value::Bool(true);
}

Result<Value> Interpreter::EvaluateConditional(const Expression& expression) {
  if (IsTrue(TRY(Evaluate(*expression.operands[0])))) return Evaluate(*expression.operands[1]);
  if (expression.operands[2]) return Evaluate(*expression.operands[2]);
  return rt_.UndefinedHint(fmt::format(
      "the inline if-expression on line {} evaluated to false and no else section was defined.", expression.line));
}

Result<Value> Interpreter::EvaluateDict(const Expression& expression) {
  std::vector<Value> parts = TRY(EvaluateAll(expression.operands));
  std::vector<DictObject::Entry> entries;
  for (size_t i = 0; i < parts.size(); i += 2) {
    TRY(CheckKey(rt_, parts[i]));
    entries.emplace_back(std::move(parts[i]), std::move(parts[i + 1]));
  }
  return rt_.Dict(std::move(entries));
}

Result<Value> Interpreter::EvaluateSubscript(const Expression& expression) {
  const Value object = TRY(Evaluate(*expression.operands[0]));
  if (expression.kind == ExpressionKind::kAttribute) return GetAttribute(rt_, object, expression.name);
  return GetItem(rt_, object, TRY(Evaluate(*expression.operands[1])));
}

Result<Value> Interpreter::EvaluateSlice(const Expression& expression) {
  const Value object = TRY(Evaluate(*expression.operands[0]));
  Value bounds[3];
  const Value* given[3] = {};
  for (size_t i = 0; i < 3; ++i) {
    if (!expression.operands[i + 1]) continue;
    bounds[i] = TRY(Evaluate(*expression.operands[i + 1]));
    given[i] = &bounds[i];
  }
  return GetSlice(rt_, object, given[0], given[1], given[2]);
}

Result<Value> Interpreter::EvaluateCall(const Expression& expression, const Value* caller) {
  const Value callee = TRY(Evaluate(*expression.operands[0]));
  Arguments arguments = TRY(EvaluateArguments(expression.arguments));
  if (caller != nullptr) arguments.named.emplace_back("caller", *caller);
  return CallValue(rt_, callee, arguments);
}

Result<Value> Interpreter::EvaluateFilter(const Expression& expression) {
  Value value;
  if (expression.operands[0]) {
    value = TRY(Evaluate(*expression.operands[0]));
  } else if (filter_input_ != nullptr) {
    value = *filter_input_;
  }
  const Arguments arguments = TRY(EvaluateArguments(expression.arguments));
  return ApplyFilter(rt_, expression.name, value, arguments);
}

Result<Value> Interpreter::EvaluateTest(const Expression& expression) {
  const Value value = TRY(Evaluate(*expression.operands[0]));
  const Arguments arguments = TRY(EvaluateArguments(expression.arguments));
  return Value::Bool(TRY(ApplyTest(rt_, expression.name, value, arguments)));
}

Result<std::vector<Value>> Interpreter::EvaluateAll(const std::vector<ExpressionPtr>& expressions) {
  std::vector<Value> values;
  values.reserve(expressions.size());
  for (const ExpressionPtr& expression : expressions) values.push_back(TRY(Evaluate(*expression)));
  return values;
}

Result<Arguments> Interpreter::EvaluateArguments(const CallArguments& arguments) {
  Arguments out;
  out.positional = TRY(EvaluateAll(arguments.positional));
  out.named.reserve(arguments.named.size());
  for (const auto& [name, expression] : arguments.named) out.named.emplace_back(name, TRY(Evaluate(*expression)));
  if (arguments.more_positional) {
    for (Value& value : TRY(ToVector(rt_, TRY(Evaluate(*arguments.more_positional))))) {
      out.positional.push_back(std::move(value));
    }
  }
  if (arguments.more_named) TRY(AddNamed(out, TRY(Evaluate(*arguments.more_named))));
  return out;
}

Result<void> Interpreter::AddNamed(Arguments& arguments, const Value& more) {
  if (!more.IsDict()) {
    return Fail(ErrorCode::kInvalidArgument, "argument after ** must be a mapping, not {}", TypeName(more));
  }
  // Looked for one by one: more names than anyone writes would make that slow.
  constexpr size_t kMaxNamed = 1000;
  if (more.dict().entries.size() > kMaxNamed) {
    return Fail(ErrorCode::kResourceExhausted, "more than {} keyword arguments", kMaxNamed);
  }
  for (const auto& [key, value] : more.dict().entries) {
    TRY(rt_.Step(arguments.named.size()));
    if (!key.IsString()) return Fail(ErrorCode::kInvalidArgument, "keywords must be strings");
    for (const auto& [name, other] : arguments.named) {
      if (name == key.text()) {
        return Fail(ErrorCode::kInvalidArgument, "got multiple values for keyword argument '{}'", name);
      }
    }
    arguments.named.emplace_back(key.text(), value);
  }
  return {};
}

}  // namespace bothy::jinja
