// Comparing, containing and sorting, as Python's operators do.
#pragma once

#include <functional>
#include <vector>

#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

enum class CompareOp : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kNotIn };

Result<bool> Compare(Runtime& rt, CompareOp op, const Value& a, const Value& b);
Result<bool> Equal(Runtime& rt, const Value& a, const Value& b);
Result<bool> Contains(Runtime& rt, const Value& container, const Value& item);

// Whether a value can be a key of a dict. Counts what it costs to compare the value with a key: tuples of tuples share
// their items, so that a few of them can be as long as 2^500.
Result<bool> IsHashable(Runtime& rt, const Value& value);
// Fails where it cannot.
Result<void> CheckKey(Runtime& rt, const Value& value);

// The order in which a stable sort by `keys` leaves the items; fails where two keys have no order.
Result<std::vector<size_t>> SortedOrder(Runtime& rt, const std::vector<Value>& keys, bool reverse);

}  // namespace bothy::jinja
