#include "codec/jinja/compare.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "codec/jinja/iterate.h"
#include "codec/jinja/number.h"
#include "codec/jinja/text_tools.h"

namespace bothy::jinja {
namespace {

bool IsNan(const Value& value) { return value.Is(Kind::kFloat) && std::isnan(value.real()); }

Result<bool> EqualDicts(Runtime& rt, const DictObject& a, const DictObject& b) {
  if (a.entries.size() != b.entries.size()) return false;
  for (const auto& [key, value] : a.entries) {
    TRY(CheckKey(rt, key));
    const Value* other = b.Find(key);
    if (other == nullptr || !TRY(Equal(rt, value, *other))) return false;
  }
  return true;
}

Result<bool> EqualItems(Runtime& rt, const std::vector<Value>& a, const std::vector<Value>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!TRY(Equal(rt, a[i], b[i]))) return false;
  }
  return true;
}

bool Holds(CompareOp op, int order) {
  switch (op) {
    case CompareOp::kLess: return order < 0;
    case CompareOp::kLessEqual: return order <= 0;
    case CompareOp::kGreater: return order > 0;
    default: return order >= 0;
  }
}

std::string_view Sign(CompareOp op) {
  constexpr std::string_view kSigns[] = {"==", "!=", "<", "<=", ">", ">=", "in", "not in"};
  return kSigns[static_cast<size_t>(op)];
}

Result<bool> Ordered(Runtime& rt, CompareOp op, const Value& a, const Value& b) {
  TRY(rt.Step());
  if (a.IsUndefined()) return FailUndefined(a);
  if (b.IsUndefined()) return FailUndefined(b);
  if (a.IsNumber() && b.IsNumber()) return !IsNan(a) && !IsNan(b) && Holds(op, CompareNumbers(a, b));
  if (a.IsString() && b.IsString()) {
    TRY(rt.Bytes(std::min(a.text().size(), b.text().size())));
    return Holds(op, a.text().compare(b.text()));
  }
  if (a.Is(Kind::kBytes) && b.Is(Kind::kBytes)) {
    TRY(rt.Bytes(std::min(a.bytes().data.size(), b.bytes().data.size())));
    return Holds(op, a.bytes().data.compare(b.bytes().data));
  }
  if (a.IsSequence() && a.kind() == b.kind()) {
    const auto& x = a.items();
    const auto& y = b.items();
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      if (!TRY(Equal(rt, x[i], y[i]))) return Ordered(rt, op, x[i], y[i]);
    }
    return Holds(op, x.size() < y.size() ? -1 : x.size() > y.size() ? 1 : 0);
  }
  return Fail(ErrorCode::kInvalidArgument, "'{}' not supported between instances of '{}' and '{}'", Sign(op),
              TypeName(a), TypeName(b));
}

}  // namespace

Result<bool> Equal(Runtime& rt, const Value& a, const Value& b) {
  TRY(rt.Step());
  if (a.IsNumber() && b.IsNumber()) return !IsNan(a) && !IsNan(b) && CompareNumbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  if (a.heap() != nullptr && a.heap() == b.heap()) return true;
  switch (a.kind()) {
    case Kind::kUndefined:
    case Kind::kNone: return true;
    case Kind::kString:
      if (a.text().size() == b.text().size()) TRY(rt.Bytes(a.text().size()));
      return a.text() == b.text();
    case Kind::kBytes:
      if (a.bytes().data.size() == b.bytes().data.size()) TRY(rt.Bytes(a.bytes().data.size()));
      return a.bytes().data == b.bytes().data;
    case Kind::kList:
    case Kind::kTuple: return EqualItems(rt, a.items(), b.items());
    case Kind::kDict: return EqualDicts(rt, a.dict(), b.dict());
    case Kind::kRange: return CompareKeys(a, b) == 0;
    case Kind::kDictView: {
      const auto& x = a.As<DictViewObject>();
      const auto& y = b.As<DictViewObject>();
      // Keys and items compare as sets; values only by identity.
      if (x.part != y.part || x.part == DictViewObject::Part::kValues) return false;
      if (x.part == DictViewObject::Part::kItems) return EqualDicts(rt, x.dict.dict(), y.dict.dict());
      if (x.dict.dict().entries.size() != y.dict.dict().entries.size()) return false;
      for (const auto& entry : x.dict.dict().entries) {
        TRY(CheckKey(rt, entry.first));
        if (y.dict.dict().Find(entry.first) == nullptr) return false;
      }
      return true;
    }
    default: return false;
  }
}

Result<bool> Contains(Runtime& rt, const Value& container, const Value& item) {
  TRY(rt.Step());
  switch (container.kind()) {
    case Kind::kString:
      if (!item.IsString()) {
        if (item.IsUndefined()) {
          return Fail(ErrorCode::kInvalidArgument, "'in <string>' requires string as left operand, not Undefined ({})",
                      item.undefined().Message());
        }
        return Fail(ErrorCode::kInvalidArgument, "'in <string>' requires string as left operand, not {}",
                    TypeName(item));
      }
      TRY(rt.Bytes(container.text().size()));
      return FindText(container.text(), item.text()) != std::string::npos;
    case Kind::kDict:
    case Kind::kDictView: {
      const bool is_view = container.Is(Kind::kDictView);
      const Value& dict = is_view ? container.As<DictViewObject>().dict : container;
      if (is_view && container.As<DictViewObject>().part != DictViewObject::Part::kKeys) break;
      TRY(CheckKey(rt, item));
      return dict.dict().Find(item) != nullptr;
    }
    case Kind::kRange:
      if (item.IsNumber()) {
        const RangeObject& range = container.range();
        for (int64_t i = 0; i < range.size; ++i) {
          TRY(rt.Step());
          if (CompareNumbers(Value::Int(range.At(i)), item) == 0 && !IsNan(item)) return true;
        }
      }
      return false;
    case Kind::kBytes:
      if (item.Is(Kind::kBytes)) {
        TRY(rt.Bytes(container.bytes().data.size()));
        return FindText(container.bytes().data, item.bytes().data) != std::string::npos;
      }
      break;
    default: break;
  }
  if (!IsIterable(container)) {
    return Fail(ErrorCode::kInvalidArgument, "argument of type '{}' is not iterable", TypeName(container));
  }
  const auto iterator = TRY(Iterate(rt, container));
  while (true) {
    const auto next = TRY(iterator->Next(rt));
    if (!next) return false;
    if (TRY(Equal(rt, *next, item))) return true;
  }
}

Result<bool> IsHashable(Runtime& rt, const Value& value) {
  TRY(rt.Step());
  switch (value.kind()) {
    case Kind::kList:
    case Kind::kDict:
    case Kind::kDictView: return false;
    case Kind::kTuple:
      for (const Value& item : value.items()) {
        if (!TRY(IsHashable(rt, item))) return false;
      }
      return true;
    case Kind::kString: TRY(rt.Bytes(value.text().size())); return true;
    case Kind::kBytes: TRY(rt.Bytes(value.bytes().data.size())); return true;
    default: return true;
  }
}

Result<void> CheckKey(Runtime& rt, const Value& value) {
  if (TRY(IsHashable(rt, value))) return {};
  return Fail(ErrorCode::kInvalidArgument, "unhashable type: '{}'", TypeName(value));
}

Result<bool> Compare(Runtime& rt, CompareOp op, const Value& a, const Value& b) {
  switch (op) {
    case CompareOp::kEqual: return Equal(rt, a, b);
    case CompareOp::kNotEqual: return !TRY(Equal(rt, a, b));
    case CompareOp::kIn: return Contains(rt, b, a);
    case CompareOp::kNotIn: return !TRY(Contains(rt, b, a));
    default: return Ordered(rt, op, a, b);
  }
}

Result<std::vector<size_t>> SortedOrder(Runtime& rt, const std::vector<Value>& keys, bool reverse) {
  // A merge sort of our own, since a comparison may fail and NaN has no place in an order.
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::vector<size_t> merged(keys.size());
  for (size_t width = 1; width < keys.size(); width *= 2) {
    for (size_t start = 0; start < keys.size(); start += 2 * width) {
      const size_t middle = std::min(start + width, keys.size());
      const size_t end = std::min(start + 2 * width, keys.size());
      size_t left = start;
      size_t right = middle;
      for (size_t out = start; out < end; ++out) {
        bool take_right = left == middle;
        if (!take_right && right < end) {
          const Value& a = keys[order[left]];
          const Value& b = keys[order[right]];
          take_right = reverse ? TRY(Compare(rt, CompareOp::kLess, a, b)) : TRY(Compare(rt, CompareOp::kLess, b, a));
        }
        merged[out] = take_right ? order[right++] : order[left++];
      }
    }
    order.swap(merged);
  }
  return order;
}

}  // namespace bothy::jinja
