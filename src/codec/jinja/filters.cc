#include "codec/jinja/filters.h"

#include <algorithm>

namespace bothy::jinja {

FilterFunction FindFilter(std::string_view name) {
  for (const auto filters : {TextFilters(), HtmlFilters(), NumberFilters(), SequenceFilters(), SelectingFilters()}) {
    const auto found = std::find_if(filters.begin(), filters.end(), [&](const auto& f) { return f.name == name; });
    if (found != filters.end()) return found->function;
  }
  return nullptr;
}

Result<Value> ApplyFilter(Runtime& rt, std::string_view name, const Value& value, const Arguments& arguments) {
  TRY(rt.Step(1 + arguments.named.size()));
  const FilterFunction function = FindFilter(name);
  if (function == nullptr) return Fail(ErrorCode::kInvalidArgument, "no filter is called '{}'", name);
  return function(rt, value, arguments);
}

Result<bool> ApplyTest(Runtime& rt, std::string_view name, const Value& value, const Arguments& arguments) {
  TRY(rt.Step(1 + arguments.named.size()));
  const TestFunction function = FindTest(name);
  if (function == nullptr) return Fail(ErrorCode::kInvalidArgument, "no test is called '{}'", name);
  return function(rt, value, arguments);
}

}  // namespace bothy::jinja
