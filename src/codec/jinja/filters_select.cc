// Filters that apply other filters and tests to each item: map, select, reject and groupby.
#include <algorithm>
#include <array>
#include <memory>

#include "codec/jinja/arguments.h"
#include "codec/jinja/compare.h"
#include "codec/jinja/filters.h"
#include "codec/jinja/iterate.h"
#include "codec/jinja/path.h"

namespace bothy::jinja {
namespace {

using Call = Result<Value>;

uint32_t DepthOf(const Arguments& arguments) {
  uint32_t deepest = 0;
  for (const Value& value : arguments.positional) deepest = std::max(deepest, value.depth());
  for (const auto& [name, value] : arguments.named) deepest = std::max(deepest, value.depth());
  return deepest;
}

Result<std::string> NameOf(const Value& value) {
  if (value.IsString()) return value.text();
  if (value.IsUndefined()) return FailUndefined(value);
  return Fail(ErrorCode::kInvalidArgument, "no filter or test is called by a value of type {}", TypeName(value));
}

// A generator over `value`, whose items `step` turns into what comes out, or drops. Everything that can be wrong with
// the arguments is found when the first item is asked for, as with the reference's generators.
using ItemStep = std::function<Result<std::optional<Value>>(Runtime&, const Value&)>;
using Prepare = std::function<Result<ItemStep>(Runtime&)>;

Value Transforming(Runtime& rt, const Value& value, uint32_t below, Prepare prepare) {
  struct State {
    Prepare prepare;
    ItemStep step;
    std::shared_ptr<IteratorObject> source;
  };
  auto state = std::make_shared<State>();
  state->prepare = std::move(prepare);
  const uint32_t depth = std::max(value.depth(), below);
  return Generator(rt, depth, [value, state](Runtime& run) -> Result<std::optional<Value>> {
    if (!state->source) {
      if (!IsTrue(value)) return std::nullopt;
      state->step = TRY(state->prepare(run));
      state->source = TRY(Iterate(run, value));
    }
    while (const auto item = TRY(state->source->Next(run))) {
      if (auto out = TRY(state->step(run, *item))) return out;
    }
    return std::nullopt;
  });
}

Call Map(Runtime& rt, const Value& value, const Arguments& arguments) {
  return Transforming(rt, value, DepthOf(arguments), [arguments](Runtime& run) -> Result<ItemStep> {
    Arguments rest = arguments;
    if (arguments.positional.empty()) {
      std::optional<Value> attribute;
      std::optional<Value> otherwise;
      for (const auto& [name, argument] : arguments.named) {
        if (name == "attribute") {
          attribute = argument;
        } else if (name == "default") {
          if (!argument.IsNone()) otherwise = argument;
        } else {
          return Fail(ErrorCode::kInvalidArgument, "Unexpected keyword argument '{}'", name);
        }
      }
      if (!attribute) return Fail(ErrorCode::kInvalidArgument, "map requires a filter argument");
      const AttributePath path = TRY(AttributePath::Parse(run, *attribute));
      return ItemStep([path, otherwise](Runtime& r, const Value& item) -> Result<std::optional<Value>> {
        return TRY(path.Get(r, item, otherwise));
      });
    }
    const std::string name = TRY(NameOf(rest.positional[0]));
    rest.positional.erase(rest.positional.begin());
    return ItemStep([name, rest](Runtime& r, const Value& item) -> Result<std::optional<Value>> {
      return TRY(ApplyFilter(r, name, item, rest));
    });
  });
}

template <bool keep, bool by_attribute>
Call Select(Runtime& rt, const Value& value, const Arguments& arguments) {
  return Transforming(rt, value, DepthOf(arguments), [arguments](Runtime& run) -> Result<ItemStep> {
    Arguments rest = arguments;
    AttributePath path;
    if (by_attribute) {
      if (rest.positional.empty()) {
        return Fail(ErrorCode::kInvalidArgument, "Missing parameter for attribute name");
      }
      path = TRY(AttributePath::Parse(run, rest.positional[0]));
      rest.positional.erase(rest.positional.begin());
    }
    std::string name;
    const bool has_test = !rest.positional.empty();
    if (has_test) {
      name = TRY(NameOf(rest.positional[0]));
      rest.positional.erase(rest.positional.begin());
    }
    return ItemStep([=](Runtime& r, const Value& item) -> Result<std::optional<Value>> {
      const Value tested = TRY(path.Get(r, item));
      const bool holds = has_test ? TRY(ApplyTest(r, name, tested, rest)) : IsTrue(tested);
      return holds == keep ? std::optional(item) : std::nullopt;
    });
  });
}

Call GroupBy(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("groupby", arguments, {"attribute", "default", "case_sensitive"}, 1));
  const AttributePath path = TRY(AttributePath::Parse(rt, bound[0]));
  const std::optional<Value> otherwise = bound.Given(1) ? std::optional(bound[1]) : std::nullopt;
  const std::vector<Value> items = TRY(ToVector(rt, value));
  std::vector<Value> keys;
  std::vector<Value> groupers;
  for (const Value& item : items) {
    const Value key = TRY(path.Get(rt, item, otherwise));
    groupers.push_back(key);
    keys.push_back(bound.True(2) ? key : TRY(IgnoreCase(rt, key)));
    TRY(rt.Step());
  }
  const auto order = TRY(SortedOrder(rt, keys, false));
  std::vector<Value> groups;
  for (size_t i = 0; i < order.size();) {
    std::vector<Value> members;
    const size_t first = i;
    while (i < order.size() && TRY(Equal(rt, keys[order[i]], keys[order[first]]))) members.push_back(items[order[i++]]);
    if (i == first) members.push_back(items[order[i++]]);  // NaN, which is unequal to itself
    groups.push_back(rt.Group(groupers[order[first]], std::move(members)));
    TRY(rt.Step());
  }
  return rt.List(std::move(groups));
}

constexpr std::array kFilters = {
    NamedFilter{"map", Map},
    NamedFilter{"select", Select<true, false>},
    NamedFilter{"reject", Select<false, false>},
    NamedFilter{"selectattr", Select<true, true>},
    NamedFilter{"rejectattr", Select<false, true>},
    NamedFilter{"groupby", GroupBy},
};

}  // namespace

std::span<const NamedFilter> SelectingFilters() { return kFilters; }

}  // namespace bothy::jinja
