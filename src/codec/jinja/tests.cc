// value is name: jinja2's tests.
#include <algorithm>
#include <array>

#include "codec/jinja/arguments.h"
#include "codec/jinja/compare.h"
#include "codec/jinja/filters.h"
#include "codec/jinja/iterate.h"
#include "codec/jinja/operators.h"
#include "codec/jinja/text.h"
#include "codec/jinja/text_tools.h"

namespace bothy::jinja {
namespace {

Result<void> NoArguments(const Arguments& arguments) {
  TRY(Bind("this test", arguments, {}, 0));
  return {};
}

Result<bool> RemainderIs(Runtime& rt, const Value& value, const Value& divisor, int64_t wanted) {
  const Value rest = TRY(Arithmetic(rt, ArithmeticOp::kModulo, value, divisor));
  return Equal(rt, rest, Value::Int(wanted));
}

Result<bool> Odd(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(NoArguments(arguments));
  return RemainderIs(rt, value, Value::Int(2), 1);
}

Result<bool> Even(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(NoArguments(arguments));
  return RemainderIs(rt, value, Value::Int(2), 0);
}

Result<bool> DivisibleBy(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("divisibleby", arguments, {"num"}, 1));
  return RemainderIs(rt, value, bound[0], 0);
}

template <bool (*is)(const Value&)>
Result<bool> Simple(Runtime&, const Value& value, const Arguments& arguments) {
  TRY(NoArguments(arguments));
  return is(value);
}

bool IsDefined(const Value& v) { return !v.IsUndefined(); }
bool IsUndefined(const Value& v) { return v.IsUndefined(); }
bool IsNone(const Value& v) { return v.IsNone(); }
bool IsBoolean(const Value& v) { return v.Is(Kind::kBool); }
bool IsFalseValue(const Value& v) { return v.Is(Kind::kBool) && !v.boolean(); }
bool IsTrueValue(const Value& v) { return v.Is(Kind::kBool) && v.boolean(); }
bool IsInteger(const Value& v) { return v.Is(Kind::kInt) || v.Is(Kind::kBigInt); }
bool IsFloat(const Value& v) { return v.Is(Kind::kFloat); }
bool IsString(const Value& v) { return v.IsString(); }
bool IsMapping(const Value& v) { return v.IsDict(); }
bool IsNumber(const Value& v) { return v.IsNumber(); }
bool IsSequence(const Value& v) { return KnownLength(v).has_value() && !v.Is(Kind::kDictView); }
bool IsCallable(const Value& v) { return v.Is(Kind::kObject) && v.object().IsCallable(); }
bool IsEscaped(const Value& v) { return v.IsString() && v.string().markup; }

template <bool (*test)(std::string_view)>
Result<bool> Cased(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(NoArguments(arguments));
  return test(TRY(Str(rt, value)));
}

template <CompareOp op>
Result<bool> Comparison(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("this test", arguments, {""}, 1));
  return Compare(rt, op, value, bound[0]);
}

Result<bool> In(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("in", arguments, {"seq"}, 1));
  return Contains(rt, bound[0], value);
}

// Identity. Scalars are the same where they are equal and of one type, as Python's small and interned ones are.
Result<bool> SameAs(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("sameas", arguments, {"other"}, 1));
  const Value& other = bound[0];
  if (value.kind() != other.kind()) return false;
  switch (value.kind()) {
    case Kind::kNone: return true;
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kString: return Equal(rt, value, other);
    case Kind::kFloat: return false;
    default: return value.heap() == other.heap();
  }
}

Result<bool> FilterExists(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(NoArguments(arguments));
  TRY(CheckKey(rt, value));
  return value.IsString() && FindFilter(value.text()) != nullptr;
}

Result<bool> TestExists(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(NoArguments(arguments));
  TRY(CheckKey(rt, value));
  return value.IsString() && FindTest(value.text()) != nullptr;
}

struct NamedTest {
  std::string_view name;
  TestFunction function;
};

constexpr std::array kTests = {
    NamedTest{"defined", Simple<IsDefined>},
    NamedTest{"undefined", Simple<IsUndefined>},
    NamedTest{"none", Simple<IsNone>},
    NamedTest{"string", Simple<IsString>},
    NamedTest{"mapping", Simple<IsMapping>},
    NamedTest{"iterable", Simple<IsIterable>},
    NamedTest{"sequence", Simple<IsSequence>},
    NamedTest{"number", Simple<IsNumber>},
    NamedTest{"integer", Simple<IsInteger>},
    NamedTest{"float", Simple<IsFloat>},
    NamedTest{"boolean", Simple<IsBoolean>},
    NamedTest{"true", Simple<IsTrueValue>},
    NamedTest{"false", Simple<IsFalseValue>},
    NamedTest{"callable", Simple<IsCallable>},
    NamedTest{"escaped", Simple<IsEscaped>},
    NamedTest{"odd", Odd},
    NamedTest{"even", Even},
    NamedTest{"divisibleby", DivisibleBy},
    NamedTest{"lower", Cased<IsLowerText>},
    NamedTest{"upper", Cased<IsUpperText>},
    NamedTest{"in", In},
    NamedTest{"sameas", SameAs},
    NamedTest{"filter", FilterExists},
    NamedTest{"test", TestExists},
    NamedTest{"==", Comparison<CompareOp::kEqual>},
    NamedTest{"eq", Comparison<CompareOp::kEqual>},
    NamedTest{"equalto", Comparison<CompareOp::kEqual>},
    NamedTest{"!=", Comparison<CompareOp::kNotEqual>},
    NamedTest{"ne", Comparison<CompareOp::kNotEqual>},
    NamedTest{">", Comparison<CompareOp::kGreater>},
    NamedTest{"gt", Comparison<CompareOp::kGreater>},
    NamedTest{"greaterthan", Comparison<CompareOp::kGreater>},
    NamedTest{">=", Comparison<CompareOp::kGreaterEqual>},
    NamedTest{"ge", Comparison<CompareOp::kGreaterEqual>},
    NamedTest{"<", Comparison<CompareOp::kLess>},
    NamedTest{"lt", Comparison<CompareOp::kLess>},
    NamedTest{"lessthan", Comparison<CompareOp::kLess>},
    NamedTest{"<=", Comparison<CompareOp::kLessEqual>},
    NamedTest{"le", Comparison<CompareOp::kLessEqual>},
};

}  // namespace

TestFunction FindTest(std::string_view name) {
  const auto found = std::find_if(kTests.begin(), kTests.end(), [&](const auto& t) { return t.name == name; });
  return found != kTests.end() ? found->function : nullptr;
}

}  // namespace bothy::jinja
