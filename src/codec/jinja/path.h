// attribute='a.b.0' of filters: the way from an item to what is asked for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

class AttributePath {
 public:
  // None is the item itself; a string is split at its dots, where numbers are indices; else one key.
  static Result<AttributePath> Parse(Runtime& rt, const Value& attribute);
  // One path for each part between commas.
  static Result<std::vector<AttributePath>> ParseMany(Runtime& rt, const Value& attributes);

  // `otherwise` takes the place of what is undefined on the way.
  Result<Value> Get(Runtime& rt, const Value& item, const std::optional<Value>& otherwise = std::nullopt) const;

 private:
  std::vector<Value> keys_;
};

// Strings in lower case, all else as it is: the keys of sorting and comparing filters.
Result<Value> IgnoreCase(Runtime& rt, const Value& value);

}  // namespace bothy::jinja
