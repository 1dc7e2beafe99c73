// The methods of dict, list, tuple, range, int, float and bytes that change nothing.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "codec/jinja/arguments.h"
#include "codec/jinja/attributes.h"
#include "codec/jinja/compare.h"
#include "codec/jinja/iterate.h"
#include "codec/jinja/number.h"
#include "codec/jinja/text.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

using Call = Result<Value>;

Call DictGet(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("get", arguments, {"", ""}, 1));
  TRY(CheckKey(rt, bound[0]));
  const Value* found = self.dict().Find(bound[0]);
  return found != nullptr ? *found : bound.Or(1, Value());
}

template <DictViewObject::Part part>
Call DictView(Runtime& rt, const Value& self, const Arguments& arguments) {
  TRY(Bind("this method", arguments, {}, 0));
  return rt.DictView(self, part);
}

// Nothing can be changed, so a copy is as good as the original; `is sameas` is the one to tell.
Call Copy(Runtime& rt, const Value& self, const Arguments& arguments) {
  TRY(Bind("copy", arguments, {}, 0));
  if (self.IsDict()) {
    TRY(rt.Bytes(self.dict().entries.size(), sizeof(DictObject::Entry)));
    return rt.Dict(self.dict().entries);
  }
  TRY(rt.Bytes(self.items().size(), sizeof(Value)));
  return rt.List(self.items());
}

Call FromKeys(Runtime& rt, const Value&, const Arguments& arguments) { return DictFromKeys(rt, arguments); }

Call SequenceCount(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("count", arguments, {""}, 1));
  const auto iterator = TRY(Iterate(rt, self));
  int64_t count = 0;
  while (const auto item = TRY(iterator->Next(rt))) count += TRY(Equal(rt, *item, bound[0])) ? 1 : 0;
  return Value::Int(count);
}

Call SequenceIndex(Runtime& rt, const Value& self, const Arguments& arguments) {
  const Bound bound = TRY(Bind("index", arguments, {"", "", ""}, 1));
  const auto size = static_cast<int64_t>(TRY(Length(self)));
  const auto cut = [&](int64_t i) { return i < 0 ? (i < -size ? 0 : i + size) : i; };
  const int64_t start = cut(TRY(bound.Integer(1, 0)));
  const int64_t stop = cut(TRY(bound.Integer(2, size)));
  const auto iterator = TRY(Iterate(rt, self));
  for (int64_t i = 0; i < stop; ++i) {
    const auto item = TRY(iterator->Next(rt));
    if (!item) break;
    if (i >= start && TRY(Equal(rt, *item, bound[0]))) return Value::Int(i);
  }
  return Fail(ErrorCode::kInvalidArgument, "{} is not in {}", ShortRepr(bound[0]), TypeName(self));
}

Call BitLength(Runtime&, const Value& self, const Arguments& arguments) {
  TRY(Bind("bit_length", arguments, {}, 0));
  return Value::Int(static_cast<int64_t>(ToBigInt(self).BitLength()));
}

Call BitCount(Runtime&, const Value& self, const Arguments& arguments) {
  TRY(Bind("bit_count", arguments, {}, 0));
  return Value::Int(static_cast<int64_t>(ToBigInt(self).BitCount()));
}

Call Conjugate(Runtime&, const Value& self, const Arguments& arguments) {
  TRY(Bind("conjugate", arguments, {}, 0));
  return self.Is(Kind::kBool) ? Value::Int(self.integer()) : self;
}

Call IntegerIsInteger(Runtime&, const Value&, const Arguments& arguments) {
  TRY(Bind("is_integer", arguments, {}, 0));
  return Value::Bool(true);
}

Call IntegerRatio(Runtime& rt, const Value& self, const Arguments& arguments) {
  TRY(Bind("as_integer_ratio", arguments, {}, 0));
  return rt.Tuple({self.Is(Kind::kBool) ? Value::Int(self.integer()) : self, Value::Int(1)});
}

Call FloatIsInteger(Runtime&, const Value& self, const Arguments& arguments) {
  TRY(Bind("is_integer", arguments, {}, 0));
  return Value::Bool(std::isfinite(self.real()) && std::trunc(self.real()) == self.real());
}

Call FloatRatio(Runtime& rt, const Value& self, const Arguments& arguments) {
  TRY(Bind("as_integer_ratio", arguments, {}, 0));
  if (!std::isfinite(self.real())) {
    return Fail(ErrorCode::kInvalidArgument, "cannot convert {} to integer ratio", FloatRepr(self.real()));
  }
  double value = self.real();
  int64_t shift = 0;
  while (value != std::trunc(value)) {
    value *= 2;
    ++shift;
  }
  const Value below = TRY(NumberArithmetic(rt, ArithmeticOp::kPower, Value::Int(2), Value::Int(shift)));
  return rt.Tuple({rt.Integer(BigInt::FromDouble(value)), below});
}

Call FloatHex(Runtime& rt, const Value& self, const Arguments& arguments) {
  TRY(Bind("hex", arguments, {}, 0));
  const double value = self.real();
  if (!std::isfinite(value)) return rt.String(FloatRepr(value));
  int exponent = 0;
  double fraction = std::frexp(std::fabs(value), &exponent);
  const std::string sign = std::signbit(value) ? "-" : "";
  if (fraction == 0) return rt.String(sign + "0x0.0p+0");
  // One bit before the point, 52 behind it; subnormal numbers begin with zero and keep the lowest exponent.
  const bool subnormal = exponent - 1 < -1022;
  const int power = subnormal ? -1022 : exponent - 1;
  fraction = std::ldexp(std::fabs(value), -power);
  const auto bits = static_cast<uint64_t>(std::ldexp(subnormal ? fraction : fraction - 1, 52));
  return rt.String(fmt::format("{}0x{}.{:013x}p{:+d}", sign, subnormal ? 0 : 1, bits, power));
}

Call BytesDecode(Runtime& rt, const Value& self, const Arguments& arguments) {
  TRY(Bind("decode", arguments, {"encoding", "errors"}, 0));
  const std::string& data = self.bytes().data;
  if (const size_t at = FindInvalidUtf8(data); at != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "'utf-8' codec can't decode byte in position {}", at);
  }
  TRY(rt.Bytes(data.size()));
  return rt.String(data);
}

Call BytesHex(Runtime& rt, const Value& self, const Arguments& arguments) {
  TRY(Bind("hex", arguments, {}, 0));
  TRY(rt.Bytes(self.bytes().data.size(), 2));
  std::string out;
  for (const char c : self.bytes().data) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return rt.String(std::move(out));
}

constexpr std::array kDictMethods = {
    Method{"copy", Copy},
    Method{"fromkeys", FromKeys},
    Method{"get", DictGet},
    Method{"items", DictView<DictViewObject::Part::kItems>},
    Method{"keys", DictView<DictViewObject::Part::kKeys>},
    Method{"values", DictView<DictViewObject::Part::kValues>},
};
constexpr std::array kSequenceMethods = {
    Method{"copy", Copy},
    Method{"count", SequenceCount},
    Method{"index", SequenceIndex},
};
constexpr std::array kIntegerMethods = {
    Method{"as_integer_ratio", IntegerRatio}, Method{"bit_count", BitCount},          Method{"bit_length", BitLength},
    Method{"conjugate", Conjugate},           Method{"is_integer", IntegerIsInteger},
};
constexpr std::array kFloatMethods = {
    Method{"as_integer_ratio", FloatRatio},
    Method{"conjugate", Conjugate},
    Method{"hex", FloatHex},
    Method{"is_integer", FloatIsInteger},
};
constexpr std::array kBytesMethods = {
    Method{"decode", BytesDecode},
    Method{"hex", BytesHex},
};

}  // namespace

std::span<const Method> DictMethods() { return kDictMethods; }
std::span<const Method> SequenceMethods() { return kSequenceMethods; }
std::span<const Method> IntegerMethods() { return kIntegerMethods; }
std::span<const Method> FloatMethods() { return kFloatMethods; }
std::span<const Method> BytesMethods() { return kBytesMethods; }

Result<Value> DictFromKeys(Runtime& rt, const Arguments& arguments) {
  const Bound bound = TRY(Bind("fromkeys", arguments, {"", ""}, 1));
  std::vector<DictObject::Entry> entries;
  for (Value& key : TRY(ToVector(rt, bound[0]))) {
    TRY(rt.Step());
    TRY(CheckKey(rt, key));
    entries.emplace_back(std::move(key), bound.Or(1, Value()));
  }
  return rt.Dict(std::move(entries));
}

}  // namespace bothy::jinja
