#include "codec/jinja/attributes.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "codec/jinja/arguments.h"
#include "codec/jinja/compare.h"
#include "codec/jinja/iterate.h"
#include "codec/jinja/number.h"
#include "codec/jinja/text.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

struct BoundMethod final : Object {
  Value self;
  const Method* method = nullptr;

  std::string TypeName() const override { return "builtin_function_or_method"; }
  Result<std::string> Repr(Runtime&) const override {
    return fmt::format("<built-in method {} of {} object>", method->name, jinja::TypeName(self));
  }
  bool IsCallable() const override { return true; }
  Result<Value> Call(Runtime& rt, Arguments& arguments) override { return method->call(rt, self, arguments); }
};

// Methods of Python's lists and dicts that change them; the sandbox keeps them from templates, whether or not a dict
// has a key of that name.
constexpr std::string_view kListChanges[] = {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"};
constexpr std::string_view kDictChanges[] = {"clear", "pop", "popitem", "setdefault", "update"};

constexpr std::string_view kOfEveryObject[] = {"__class__",     "__delattr__",      "__dir__",
                                               "__doc__",       "__eq__",           "__format__",
                                               "__ge__",        "__getattribute__", "__gt__",
                                               "__hash__",      "__init__",         "__le__",
                                               "__lt__",        "__module__",       "__ne__",
                                               "__new__",       "__reduce__",       "__repr__",
                                               "__setattr__",   "__sizeof__",       "__str__",
                                               "__bool__",      "__call__",         "__iter__",
                                               "__len__",       "__getitem__",      "__init_subclass__",
                                               "__reduce_ex__", "__subclasshook__"};

template <size_t N>
bool IsOneOf(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool IsInternal(std::string_view name) { return name.size() > 4 && name.starts_with("__") && name.ends_with("__"); }

Value Unsafe(Runtime& rt, const Value& object, std::string_view name) {
  return rt.UndefinedHint(fmt::format("access to attribute '{}' of '{}' object is unsafe.", name, TypeName(object)),
                          name);
}

std::optional<Value> FindMethod(Runtime& rt, std::span<const Method> methods, const Value& self,
                                std::string_view name) {
  const auto found = std::find_if(methods.begin(), methods.end(), [&](const Method& m) { return m.name == name; });
  if (found == methods.end()) return std::nullopt;
  auto bound = rt.Make<BoundMethod>(self.depth(), 0);
  bound->self = self;
  bound->method = &*found;
  return Value(Kind::kObject, std::move(bound));
}

std::optional<Value> NumberAttribute(Runtime& rt, const Value& number, std::string_view name) {
  const bool is_float = number.Is(Kind::kFloat);
  if (name == "real" || (name == "numerator" && !is_float)) {
    return number.Is(Kind::kBool) ? Value::Int(number.integer()) : number;
  }
  if (name == "imag") return is_float ? Value::Float(0) : Value::Int(0);
  if (name == "denominator" && !is_float) return Value::Int(1);
  return FindMethod(rt, is_float ? FloatMethods() : IntegerMethods(), number, name);
}

// Where index `i` of a row of `size` items lies; nothing outside it.
std::optional<size_t> Position(int64_t i, size_t size) {
  const auto count = static_cast<int64_t>(size);
  if (i < 0 ? i < -count : i >= count) return std::nullopt;
  return static_cast<size_t>(i < 0 ? i + count : i);
}

Result<Value> CharacterAt(Runtime& rt, const StringObject& string, size_t index) {
  if (string.IsAscii()) return rt.String(std::string(1, string.text[index]), string.markup);
  TRY(rt.Bytes(string.text.size()));
  size_t i = 0;
  for (size_t k = 0; k < index; ++k) NextCodePoint(string.text, i);
  const size_t start = i;
  NextCodePoint(string.text, i);
  return rt.String(string.text.substr(start, i - start), string.markup);
}

// The item, nothing where Python would raise a LookupError or TypeError.
Result<std::optional<Value>> FindItem(Runtime& rt, const Value& object, const Value& key) {
  if (object.IsDict()) {
    if (!TRY(IsHashable(rt, key))) return std::nullopt;
    const Value* found = object.dict().Find(key);
    return found != nullptr ? std::optional(*found) : std::nullopt;
  }
  const bool indexed = object.IsString() || object.IsSequence() || object.Is(Kind::kRange) || object.Is(Kind::kBytes);
  if (!indexed || !key.IsIntegral() || key.Is(Kind::kBigInt)) return std::nullopt;
  const auto position = Position(key.integer(), TRY(Length(object)));
  if (!position) return std::nullopt;
  if (object.IsString()) return TRY(CharacterAt(rt, object.string(), *position));
  if (object.Is(Kind::kBytes)) return Value::Int(static_cast<unsigned char>(object.bytes().data[*position]));
  if (object.Is(Kind::kRange)) return Value::Int(object.range().At(static_cast<int64_t>(*position)));
  return object.items()[*position];
}

struct SliceBounds {
  int64_t start;
  int64_t step;
  int64_t count;
};

// As Python's slice.indices(): bounds outside the row are cut to it.
Result<SliceBounds> ResolveSlice(const Value* start, const Value* stop, const Value* step, size_t size) {
  const auto given = [](const Value* bound) { return bound != nullptr && !bound->IsNone(); };
  const auto length = static_cast<int64_t>(size);
  SliceBounds bounds{0, 1, 0};
  if (given(step)) bounds.step = TRY(ToIndex(*step));
  if (bounds.step == 0) return Fail(ErrorCode::kInvalidArgument, "slice step cannot be zero");
  if (bounds.step == std::numeric_limits<int64_t>::min()) ++bounds.step;
  const bool backward = bounds.step < 0;
  const int64_t lowest = backward ? -1 : 0;
  const int64_t highest = backward ? length - 1 : length;
  const auto clamp = [&](int64_t i) {
    if (i < 0) i = i < -length ? lowest : i + length;
    return std::clamp(i, lowest, std::max(lowest, highest));
  };
  bounds.start = given(start) ? clamp(TRY(ToIndex(*start))) : (backward ? highest : lowest);
  const int64_t end = given(stop) ? clamp(TRY(ToIndex(*stop))) : (backward ? lowest : highest);
  if (backward ? end < bounds.start : bounds.start < end) {
    const int64_t distance = backward ? bounds.start - end : end - bounds.start;
    bounds.count = (distance - 1) / (backward ? -bounds.step : bounds.step) + 1;
  }
  return bounds;
}

Result<Value> SliceString(Runtime& rt, const StringObject& string, const SliceBounds& bounds) {
  TRY(rt.Bytes(string.text.size()));
  std::vector<size_t> offsets;  // of the characters, where they are not all one byte
  if (!string.IsAscii()) {
    TRY(rt.Bytes(string.length, sizeof(size_t)));
    offsets.reserve(string.length + 1);
    for (size_t i = 0; i < string.text.size(); NextCodePoint(string.text, i)) offsets.push_back(i);
    offsets.push_back(string.text.size());
  }
  const auto offset = [&](int64_t i) {
    return offsets.empty() ? static_cast<size_t>(i) : offsets[static_cast<size_t>(i)];
  };
  if (bounds.count == 0) return rt.String("", string.markup);
  if (bounds.step == 1) {
    const size_t begin = offset(bounds.start);
    return rt.String(string.text.substr(begin, offset(bounds.start + bounds.count) - begin), string.markup);
  }
  std::string out;
  for (int64_t k = 0; k < bounds.count; ++k) {
    const int64_t i = bounds.start + k * bounds.step;
    out.append(string.text, offset(i), offset(i + 1) - offset(i));
  }
  return rt.String(std::move(out), string.markup);
}

}  // namespace

Result<std::optional<Value>> FindAttribute(Runtime& rt, const Value& object, std::string_view name) {
  if (object.IsUndefined()) {
    // Python finds the names that every object has before the undefined value can complain.
    if (IsOneOf(kOfEveryObject, name)) return Unsafe(rt, object, name);
    return FailUndefined(object);
  }
  if (IsInternal(name)) return Unsafe(rt, object, name);
  switch (object.kind()) {
    case Kind::kString: return FindMethod(rt, object.string().markup ? MarkupMethods() : StringMethods(), object, name);
    case Kind::kBytes: return FindMethod(rt, BytesMethods(), object, name);
    case Kind::kList:
      if (IsOneOf(kListChanges, name)) return Unsafe(rt, object, name);
      return FindMethod(rt, SequenceMethods(), object, name);
    case Kind::kTuple:
      if (object.sequence().is_group && name == "grouper") return object.items()[0];
      if (object.sequence().is_group && name == "list") return object.items()[1];
      if (name == "copy") return std::nullopt;
      return FindMethod(rt, SequenceMethods(), object, name);
    case Kind::kDict:
      if (IsOneOf(kDictChanges, name)) return Unsafe(rt, object, name);
      return FindMethod(rt, DictMethods(), object, name);
    case Kind::kDictView:
      if (name == "mapping") return object.As<DictViewObject>().dict;
      return std::nullopt;
    case Kind::kRange:
      if (name == "start") return Value::Int(object.range().start);
      if (name == "stop") return Value::Int(object.range().stop);
      if (name == "step") return Value::Int(object.range().step);
      if (name == "copy") return std::nullopt;
      return FindMethod(rt, SequenceMethods(), object, name);
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kBigInt:
    case Kind::kFloat: return NumberAttribute(rt, object, name);
    case Kind::kObject: return object.object().GetAttribute(rt, name);
    default: return std::nullopt;
  }
}

Result<Value> GetAttribute(Runtime& rt, const Value& object, std::string_view name) {
  TRY(rt.Step());
  if (auto attribute = TRY(FindAttribute(rt, object, name))) return *attribute;
  if (object.IsDict()) {
    if (const Value* found = object.dict().Find(name)) return *found;
  }
  return rt.UndefinedAttribute(object, name);
}

Result<Value> GetItem(Runtime& rt, const Value& object, const Value& key) {
  TRY(rt.Step());
  if (object.IsUndefined()) return FailUndefined(object);
  if (auto item = TRY(FindItem(rt, object, key))) return *item;
  if (key.IsString()) {
    if (auto attribute = TRY(FindAttribute(rt, object, key.text()))) return *attribute;
  }
  return rt.UndefinedElement(object, key);
}

Result<Value> GetSlice(Runtime& rt, const Value& object, const Value* start, const Value* stop, const Value* step) {
  TRY(rt.Step());
  if (object.IsUndefined()) return FailUndefined(object);
  if (!object.IsString() && !object.IsSequence() && !object.Is(Kind::kRange) && !object.Is(Kind::kBytes)) {
    return Fail(ErrorCode::kInvalidArgument, "'{}' object cannot be sliced", TypeName(object));
  }
  const SliceBounds bounds = TRY(ResolveSlice(start, stop, step, TRY(Length(object))));
  if (object.IsString()) return SliceString(rt, object.string(), bounds);
  if (object.Is(Kind::kRange)) {
    const RangeObject& range = object.range();
    // Wrapping, since the stop and the stride of less than two items may lie beyond 64 bits.
    const auto wide = [](int64_t i) { return static_cast<uint64_t>(i); };
    const uint64_t first = wide(range.start) + wide(bounds.start) * wide(range.step);
    const uint64_t stride = wide(range.step) * wide(bounds.step);
    return rt.Range(static_cast<int64_t>(first), static_cast<int64_t>(first + stride * wide(bounds.count)),
                    static_cast<int64_t>(stride), bounds.count);
  }
  TRY(rt.Bytes(static_cast<size_t>(bounds.count), sizeof(Value)));
  if (object.Is(Kind::kBytes)) {
    std::string data;
    for (int64_t k = 0; k < bounds.count; ++k) {
      data += object.bytes().data[static_cast<size_t>(bounds.start + k * bounds.step)];
    }
    return rt.BytesValue(std::move(data));
  }
  std::vector<Value> items;
  items.reserve(static_cast<size_t>(bounds.count));
  for (int64_t k = 0; k < bounds.count; ++k) {
    items.push_back(object.items()[static_cast<size_t>(bounds.start + k * bounds.step)]);
  }
  return object.Is(Kind::kTuple) ? rt.Tuple(std::move(items)) : rt.List(std::move(items));
}

Result<Value> CallValue(Runtime& rt, const Value& callee, Arguments& arguments) {
  TRY(rt.Step());
  const Runtime::Deeper deeper(rt);
  TRY(rt.CheckDepth());
  if (callee.IsUndefined()) return FailUndefined(callee);
  if (!callee.Is(Kind::kObject) || !callee.object().IsCallable()) {
    return Fail(ErrorCode::kInvalidArgument, "'{}' object is not callable", TypeName(callee));
  }
  return callee.object().Call(rt, arguments);
}

}  // namespace bothy::jinja
