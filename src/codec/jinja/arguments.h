// Matching the arguments of a call with the parameters of a built-in function.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

// What each parameter was given.
class Bound {
 public:
  explicit Bound(size_t parameters) : values_(parameters) {}

  bool Has(size_t i) const { return values_[i].has_value(); }
  bool Given(size_t i) const { return Has(i) && !values_[i]->IsNone(); }  // and is not None
  const Value& operator[](size_t i) const { return *values_[i]; }
  Value Or(size_t i, Value otherwise) const { return Has(i) ? *values_[i] : std::move(otherwise); }
  bool True(size_t i, bool otherwise = false) const { return Has(i) ? IsTrue(*values_[i]) : otherwise; }
  // An int (a bool is one); kInvalidArgument for anything else.
  Result<int64_t> Integer(size_t i, int64_t otherwise) const;
  // A str.
  Result<std::string_view> Text(size_t i) const;

  void Set(size_t i, Value value) { values_[i] = std::move(value); }

 private:
  std::vector<std::optional<Value>> values_;
};

// `parameters` are names, in order; an empty one is given by position only. The first `required` have no default.
Result<Bound> Bind(std::string_view function, const Arguments& arguments,
                   std::initializer_list<std::string_view> parameters, size_t required);

// An int as an index: beyond 64 bits it is as far as an index goes. Fails for what is no int.
Result<int64_t> ToIndex(const Value& value);

}  // namespace bothy::jinja
