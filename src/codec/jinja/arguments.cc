#include "codec/jinja/arguments.h"

#include <algorithm>
#include <limits>

namespace bothy::jinja {

Result<int64_t> ToIndex(const Value& value) {
  if (value.Is(Kind::kInt) || value.Is(Kind::kBool)) return value.integer();
  if (value.Is(Kind::kBigInt)) {
    return value.big().negative() ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  if (value.IsUndefined()) return FailUndefined(value);
  return Fail(ErrorCode::kInvalidArgument, "'{}' object cannot be interpreted as an integer", TypeName(value));
}

Result<int64_t> Bound::Integer(size_t i, int64_t otherwise) const {
  if (!Has(i)) return otherwise;
  return ToIndex(*values_[i]);
}

Result<std::string_view> Bound::Text(size_t i) const {
  if (values_[i]->IsString()) return std::string_view(values_[i]->text());
  if (values_[i]->IsUndefined()) return FailUndefined(*values_[i]);
  return Fail(ErrorCode::kInvalidArgument, "expected str, found {}", TypeName(*values_[i]));
}

Result<Bound> Bind(std::string_view function, const Arguments& arguments,
                   std::initializer_list<std::string_view> parameters, size_t required) {
  Bound bound(parameters.size());
  if (arguments.positional.size() > parameters.size()) {
    return Fail(ErrorCode::kInvalidArgument, "{}() takes at most {} arguments ({} given)", function, parameters.size(),
                arguments.positional.size());
  }
  for (size_t i = 0; i < arguments.positional.size(); ++i) bound.Set(i, arguments.positional[i]);
  for (const auto& [name, value] : arguments.named) {
    const auto* found = name.empty() ? parameters.end() : std::find(parameters.begin(), parameters.end(), name);
    if (found == parameters.end()) {
      return Fail(ErrorCode::kInvalidArgument, "{}() got an unexpected keyword argument '{}'", function, name);
    }
    const auto index = static_cast<size_t>(found - parameters.begin());
    if (bound.Has(index)) {
      return Fail(ErrorCode::kInvalidArgument, "{}() got multiple values for argument '{}'", function, name);
    }
    bound.Set(index, value);
  }
  for (size_t i = 0; i < required; ++i) {
    if (!bound.Has(i)) {
      const std::string_view name = *(parameters.begin() + i);
      if (name.empty())
        return Fail(ErrorCode::kInvalidArgument, "{}() needs at least {} arguments", function, required);
      return Fail(ErrorCode::kInvalidArgument, "{}() missing required argument: '{}'", function, name);
    }
  }
  return bound;
}

}  // namespace bothy::jinja
