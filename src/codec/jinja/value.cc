#include "codec/jinja/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "codec/jinja/number.h"
#include "codec/jinja/runtime.h"

namespace bothy::jinja {
namespace {

// Equal numbers of all types are one key; NaN is before all of them.
enum class KeyClass : uint8_t { kNumber, kString, kBytes, kTuple, kNone, kUndefined, kRange, kIdentity };

KeyClass ClassOf(const Value& value) {
  switch (value.kind()) {
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kBigInt:
    case Kind::kFloat: return KeyClass::kNumber;
    case Kind::kString: return KeyClass::kString;
    case Kind::kBytes: return KeyClass::kBytes;
    case Kind::kTuple: return KeyClass::kTuple;
    case Kind::kNone: return KeyClass::kNone;
    case Kind::kUndefined: return KeyClass::kUndefined;
    case Kind::kRange: return KeyClass::kRange;
    default: return KeyClass::kIdentity;
  }
}

template <class T>
int Order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

bool IsNan(const Value& value) { return value.Is(Kind::kFloat) && std::isnan(value.real()); }

}  // namespace

std::string UndefinedObject::Message() const {
  if (!hint.empty()) return hint;
  if (owner.empty()) return fmt::format("'{}' is undefined", name);
  if (is_element) return fmt::format("{} has no element {}", owner, name);
  return fmt::format("'{}' has no attribute '{}'", owner, name);
}

Result<Value> Object::Call(Runtime&, Arguments&) {
  return Fail(ErrorCode::kInvalidArgument, "'{}' object is not callable", TypeName());
}

Result<std::optional<Value>> Object::GetAttribute(Runtime&, std::string_view) { return std::nullopt; }

Value Value::Bool(bool b) {
  Value value;
  value.kind_ = Kind::kBool;
  value.payload_.integer = b ? 1 : 0;
  return value;
}

Value Value::Int(int64_t i) {
  Value value;
  value.kind_ = Kind::kInt;
  value.payload_.integer = i;
  return value;
}

Value Value::Float(double d) {
  Value value;
  value.kind_ = Kind::kFloat;
  value.payload_.real = d;
  return value;
}

const DictObject& Value::dict() const { return As<DictObject>(); }

const Value* DictObject::Find(const Value& key) const {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), key, [this](uint32_t index, const Value& wanted) {
    return CompareKeys(entries[index].first, wanted) < 0;
  });
  if (at == sorted.end() || CompareKeys(entries[*at].first, key) != 0) return nullptr;
  return &entries[*at].second;
}

const Value* DictObject::Find(std::string_view key) const {
  const auto before = [](const Value& entry, std::string_view wanted) {
    return entry.IsString() ? std::string_view(entry.text()) < wanted : entry.IsNumber();
  };
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), key, [&](uint32_t index, std::string_view wanted) {
    return before(entries[index].first, wanted);
  });
  if (at == sorted.end()) return nullptr;
  const Entry& found = entries[*at];
  return found.first.IsString() && found.first.text() == key ? &found.second : nullptr;
}

std::string TypeName(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined: return "Undefined";
    case Kind::kNone: return "NoneType";
    case Kind::kBool: return "bool";
    case Kind::kInt:
    case Kind::kBigInt: return "int";
    case Kind::kFloat: return "float";
    case Kind::kString: return value.string().markup ? "Markup" : "str";
    case Kind::kBytes: return "bytes";
    case Kind::kList: return "list";
    case Kind::kTuple: return "tuple";
    case Kind::kDict: return "dict";
    case Kind::kDictView: {
      constexpr std::string_view kNames[] = {"dict_keys", "dict_values", "dict_items"};
      return std::string(kNames[static_cast<size_t>(value.As<DictViewObject>().part)]);
    }
    case Kind::kRange: return "range";
    case Kind::kIterator: return value.iterator().type;
    case Kind::kObject: return value.object().TypeName();
  }
  return "object";
}

bool IsTrue(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kNone: return false;
    case Kind::kBool:
    case Kind::kInt: return value.integer() != 0;
    case Kind::kFloat: return value.real() != 0;
    case Kind::kString: return !value.text().empty();
    case Kind::kBytes: return !value.bytes().data.empty();
    case Kind::kList:
    case Kind::kTuple: return !value.items().empty();
    case Kind::kDict: return !value.dict().entries.empty();
    case Kind::kDictView: return !value.As<DictViewObject>().dict.dict().entries.empty();
    case Kind::kRange: return value.range().size != 0;
    case Kind::kBigInt:
    case Kind::kIterator:
    case Kind::kObject: return true;
  }
  return true;
}

int CompareKeys(const Value& a, const Value& b) {
  const KeyClass a_class = ClassOf(a);
  const KeyClass b_class = ClassOf(b);
  if (a_class != b_class) return Order(a_class, b_class);
  switch (a_class) {
    case KeyClass::kNumber:
      if (IsNan(a) || IsNan(b)) return Order(IsNan(b), IsNan(a));
      return CompareNumbers(a, b);
    case KeyClass::kString: return Order(a.text(), b.text());
    case KeyClass::kBytes: return Order(a.bytes().data, b.bytes().data);
    case KeyClass::kTuple: {
      const auto& x = a.items();
      const auto& y = b.items();
      for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
        if (const int order = CompareKeys(x[i], y[i]); order != 0) return order;
      }
      return Order(x.size(), y.size());
    }
    case KeyClass::kRange: {
      const RangeObject& x = a.range();
      const RangeObject& y = b.range();
      if (x.size != y.size) return Order(x.size, y.size);
      if (x.size == 0) return 0;
      if (x.start != y.start) return Order(x.start, y.start);
      return x.size == 1 ? 0 : Order(x.step, y.step);
    }
    case KeyClass::kIdentity: return Order(a.heap().get(), b.heap().get());
    case KeyClass::kNone:
    case KeyClass::kUndefined: return 0;
  }
  return 0;
}

}  // namespace bothy::jinja
