// The filters (value|name) and tests (value is name) that templates have: all of jinja2's, and tojson as transformers
// has it.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

using FilterFunction = Result<Value> (*)(Runtime& rt, const Value& value, const Arguments& arguments);
using TestFunction = Result<bool> (*)(Runtime& rt, const Value& value, const Arguments& arguments);

FilterFunction FindFilter(std::string_view name);  // null where there is none
TestFunction FindTest(std::string_view name);

Result<Value> ApplyFilter(Runtime& rt, std::string_view name, const Value& value, const Arguments& arguments);
Result<bool> ApplyTest(Runtime& rt, std::string_view name, const Value& value, const Arguments& arguments);

struct NamedFilter {
  std::string_view name;
  FilterFunction function;
};
std::span<const NamedFilter> TextFilters();
std::span<const NamedFilter> HtmlFilters();
std::span<const NamedFilter> NumberFilters();
std::span<const NamedFilter> SequenceFilters();
std::span<const NamedFilter> SelectingFilters();

// json.dumps(value, ensure_ascii, indent, separators, sort_keys).
Result<Value> ToJson(Runtime& rt, const Value& value, const Arguments& arguments);
// pprint.pformat(value).
Result<std::string> PrettyPrint(Runtime& rt, const Value& value);

}  // namespace bothy::jinja
