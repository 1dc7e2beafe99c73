// Going over values: iter(), len(), list().
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

bool IsIterable(const Value& value);
Result<std::shared_ptr<IteratorObject>> Iterate(Runtime& rt, const Value& value);
// All items, in order; an iterator is used up by it.
Result<std::vector<Value>> ToVector(Runtime& rt, const Value& value);

// len(): nothing for what has none.
std::optional<size_t> KnownLength(const Value& value);
Result<size_t> Length(const Value& value);

// A generator that asks `next` for each item. `below` is the depth of the values that `next` holds.
Value Generator(Runtime& rt, uint32_t below, std::function<Result<std::optional<Value>>(Runtime&)> next,
                std::string type = "generator");
// The items from the last to the first: reversed(); nothing where the value has no such order.
Result<std::optional<Value>> Reversed(Runtime& rt, const Value& value);

}  // namespace bothy::jinja
