// Filters on lists, dicts and whatever else has items.
#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "codec/jinja/arguments.h"
#include "codec/jinja/attributes.h"
#include "codec/jinja/compare.h"
#include "codec/jinja/filters.h"
#include "codec/jinja/iterate.h"
#include "codec/jinja/operators.h"
#include "codec/jinja/path.h"
#include "codec/jinja/text.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

using Call = Result<Value>;

Call LengthFilter(Runtime&, const Value& value, const Arguments& arguments) {
  TRY(Bind("length", arguments, {}, 0));
  return Value::Int(static_cast<int64_t>(TRY(Length(value))));
}

Call Default(Runtime&, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("default", arguments, {"default_value", "boolean"}, 0));
  if (!value.IsUndefined() && !(bound.True(1) && !IsTrue(value))) return value;
  if (bound.Has(0)) return bound[0];
  static const Value kEmpty(Kind::kString, std::make_shared<StringObject>());
  return kEmpty;
}

Call First(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("first", arguments, {}, 0));
  const auto iterator = TRY(Iterate(rt, value));
  if (auto item = TRY(iterator->Next(rt))) return *item;
  return rt.UndefinedHint("No first item, sequence was empty.");
}

Call Last(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("last", arguments, {}, 0));
  const auto reversed = TRY(Reversed(rt, value));
  if (!reversed) return Fail(ErrorCode::kInvalidArgument, "'{}' object is not reversible", TypeName(value));
  if (auto item = TRY(reversed->iterator().Next(rt))) return *item;
  return rt.UndefinedHint("No last item, sequence was empty.");
}

// Not random, so that a template always says the same; Python draws from the system's randomness here.
Call Random(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("random", arguments, {}, 0));
  const size_t length = TRY(Length(value));
  if (length == 0) return rt.UndefinedHint("No random item, sequence was empty.");
  rt.random_state = rt.random_state * 6364136223846793005u + 1442695040888963407u;
  return GetItem(rt, value, Value::Int(static_cast<int64_t>((rt.random_state >> 33) % length)));
}

Call JoinFilter(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("join", arguments, {"d", "attribute"}, 0));
  std::vector<Value> items = TRY(ToVector(rt, value));
  if (bound.Given(1)) {
    const AttributePath path = TRY(AttributePath::Parse(rt, bound[1]));
    for (Value& item : items) item = TRY(path.Get(rt, item));
  }
  const auto is_markup = [](const Value& v) { return v.IsString() && v.string().markup; };
  const bool escapes =
      rt.autoescape && ((bound.Has(0) && is_markup(bound[0])) || std::any_of(items.begin(), items.end(), is_markup));
  const auto text = [&](const Value& v) -> Result<std::string> {
    return escapes ? TRY(Escape(rt, v)).text() : TRY(Str(rt, v));
  };
  const std::string separator = bound.Has(0) ? TRY(text(bound[0])) : "";
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += separator;
    TRY(rt.Bytes(separator.size()));
    out += TRY(text(items[i]));
    TRY(rt.Fits(out.size()));
  }
  return rt.String(std::move(out), escapes);
}

Call ListFilter(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("list", arguments, {}, 0));
  return rt.List(TRY(ToVector(rt, value)));
}

Call Reverse(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("reverse", arguments, {}, 0));
  if (value.IsString()) {
    const Value backward = Value::Int(-1);
    return GetSlice(rt, value, nullptr, nullptr, &backward);
  }
  if (auto reversed = TRY(Reversed(rt, value))) return *reversed;
  std::vector<Value> items = TRY(ToVector(rt, value));
  std::reverse(items.begin(), items.end());
  return rt.List(std::move(items));
}

Result<std::vector<Value>> Picked(Runtime& rt, const std::vector<Value>& items, const std::vector<size_t>& order) {
  TRY(rt.Bytes(items.size(), sizeof(Value)));
  std::vector<Value> out;
  out.reserve(order.size());
  for (const size_t i : order) out.push_back(items[i]);
  return out;
}

Call Sort(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("sort", arguments, {"reverse", "case_sensitive", "attribute"}, 0));
  const std::vector<AttributePath> paths = TRY(AttributePath::ParseMany(rt, bound.Or(2, Value())));
  const std::vector<Value> items = TRY(ToVector(rt, value));
  std::vector<Value> keys;
  for (const Value& item : items) {
    std::vector<Value> key;
    for (const AttributePath& path : paths) {
      Value part = TRY(path.Get(rt, item));
      key.push_back(bound.True(1) ? std::move(part) : TRY(IgnoreCase(rt, part)));
    }
    keys.push_back(rt.List(std::move(key)));
    TRY(rt.Step());
  }
  const auto order = TRY(SortedOrder(rt, keys, bound.True(0)));
  return rt.List(TRY(Picked(rt, items, order)));
}

Call DictSort(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("dictsort", arguments, {"case_sensitive", "by", "reverse"}, 0));
  std::string_view by = "key";
  if (bound.Has(1)) by = TRY(bound.Text(1));
  if (by != "key" && by != "value") {
    return Fail(ErrorCode::kInvalidArgument, "You can only sort by either \"key\" or \"value\"");
  }
  if (value.IsUndefined()) return FailUndefined(value);
  if (!value.IsDict()) return Fail(ErrorCode::kInvalidArgument, "dictsort needs a dict, not {}", TypeName(value));
  std::vector<Value> items;
  std::vector<Value> keys;
  for (const auto& [key, item] : value.dict().entries) {
    const Value& sorted_by = by == "key" ? key : item;
    keys.push_back(bound.True(0) ? sorted_by : TRY(IgnoreCase(rt, sorted_by)));
    items.push_back(rt.Tuple({key, item}));
    TRY(rt.Step());
  }
  const auto order = TRY(SortedOrder(rt, keys, bound.True(2)));
  return rt.List(TRY(Picked(rt, items, order)));
}

struct BeforeByKey {
  bool operator()(const Value& a, const Value& b) const { return CompareKeys(a, b) < 0; }
};

Call Unique(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("unique", arguments, {"case_sensitive", "attribute"}, 0));
  const bool case_sensitive = bound.True(0);
  const AttributePath path = TRY(AttributePath::Parse(rt, bound.Or(1, Value())));
  if (!IsIterable(value)) {
    // Like every generator it complains when it is asked for its first item.
    return Generator(rt, 0, [value](Runtime& run) -> Result<std::optional<Value>> {
      TRY(Iterate(run, value));
      return std::nullopt;
    });
  }
  auto source = TRY(Iterate(rt, value));
  auto seen = std::make_shared<std::set<Value, BeforeByKey>>();
  return Generator(rt, source->depth, [=](Runtime& run) -> Result<std::optional<Value>> {
    while (auto item = TRY(source->Next(run))) {
      Value key = TRY(path.Get(run, *item));
      if (!case_sensitive) key = TRY(IgnoreCase(run, key));
      TRY(CheckKey(run, key));
      TRY(run.Fits(seen->size() * 2 * sizeof(Value)));
      if (seen->insert(key).second) return item;
    }
    return std::nullopt;
  });
}

template <bool largest>
Call Extreme(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("min", arguments, {"case_sensitive", "attribute"}, 0));
  const AttributePath path = TRY(AttributePath::Parse(rt, bound.Or(1, Value())));
  const auto iterator = TRY(Iterate(rt, value));
  std::optional<Value> best;
  Value best_key;
  while (auto item = TRY(iterator->Next(rt))) {
    Value key = TRY(path.Get(rt, *item));
    if (!bound.True(0)) key = TRY(IgnoreCase(rt, key));
    if (!best || TRY(Compare(rt, largest ? CompareOp::kGreater : CompareOp::kLess, key, best_key))) {
      best = std::move(item);
      best_key = std::move(key);
    }
  }
  if (best) return *best;
  return rt.UndefinedHint("No aggregated item, sequence was empty.");
}

Call SumFilter(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("sum", arguments, {"attribute", "start"}, 0));
  const AttributePath path = TRY(AttributePath::Parse(rt, bound.Or(0, Value())));
  Value sum = bound.Or(1, Value::Int(0));
  if (sum.IsString()) return Fail(ErrorCode::kInvalidArgument, "sum() can't sum strings");
  const auto iterator = TRY(Iterate(rt, value));
  while (const auto item = TRY(iterator->Next(rt))) {
    sum = TRY(Arithmetic(rt, ArithmeticOp::kAdd, sum, TRY(path.Get(rt, *item))));
  }
  return sum;
}

Call Batch(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("batch", arguments, {"linecount", "fill_with"}, 1));
  const Value count = bound[0];
  const Value fill = bound.Or(1, Value());
  const auto source = TRY(Iterate(rt, value));
  const uint32_t below = std::max(source->depth, fill.depth());
  return Generator(rt, below, [=](Runtime& run) -> Result<std::optional<Value>> {
    if (!count.IsNumber()) {
      return Fail(ErrorCode::kInvalidArgument, "batch needs a number, not {}", TypeName(count));
    }
    const int64_t size = count.Is(Kind::kInt) ? count.integer() : -1;
    std::vector<Value> line;
    while (size <= 0 || static_cast<int64_t>(line.size()) < size) {
      auto item = TRY(source->Next(run));
      if (!item) break;
      line.push_back(std::move(*item));
    }
    if (line.empty()) return std::nullopt;
    if (!fill.IsNone() && static_cast<int64_t>(line.size()) < size) {
      TRY(run.Bytes(static_cast<size_t>(size), sizeof(Value)));
      line.resize(static_cast<size_t>(size), fill);
    }
    return run.List(std::move(line));
  });
}

Call Slice(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("slice", arguments, {"slices", "fill_with"}, 1));
  const Value fill = bound.Or(1, Value());
  const Value items = rt.List(TRY(ToVector(rt, value)));
  const auto slices = TRY(bound.Integer(0, 0));
  if (slices == 0) return Fail(ErrorCode::kInvalidArgument, "integer division or modulo by zero");
  auto number = std::make_shared<int64_t>(0);
  return Generator(rt, std::max(items.depth(), fill.depth()), [=](Runtime& run) -> Result<std::optional<Value>> {
    const int64_t k = *number;
    if (k >= slices) return std::nullopt;
    ++*number;
    const auto length = static_cast<int64_t>(items.items().size());
    const int64_t each = length / slices;
    const int64_t extra = length % slices;
    const int64_t start = k * each + std::min(k, extra);
    const int64_t end = start + each + (k < extra ? 1 : 0);
    TRY(run.Bytes(static_cast<size_t>(end - start), sizeof(Value)));
    std::vector<Value> part(items.items().begin() + start, items.items().begin() + end);
    if (!fill.IsNone() && k >= extra) part.push_back(fill);
    return run.List(std::move(part));
  });
}

Call Items(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("items", arguments, {}, 0));
  // A generator: what is wrong with its value is said when it is first asked.
  auto position = std::make_shared<size_t>(0);
  return Generator(rt, value.depth(), [=](Runtime& run) -> Result<std::optional<Value>> {
    if (value.IsUndefined()) return std::nullopt;
    if (!value.IsDict()) return Fail(ErrorCode::kInvalidArgument, "Can only get item pairs from a mapping.");
    if (*position == value.dict().entries.size()) return std::nullopt;
    const auto& [key, item] = value.dict().entries[(*position)++];
    return run.Tuple({key, item});
  });
}

Call PrettyPrintFilter(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("pprint", arguments, {}, 0));
  return rt.String(TRY(PrettyPrint(rt, value)));
}

Call Attribute(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("attr", arguments, {"name"}, 1));
  const std::string_view name = TRY(bound.Text(0));
  if (auto attribute = TRY(FindAttribute(rt, value, name))) return *attribute;
  return rt.UndefinedAttribute(value, name);
}

constexpr std::array kFilters = {
    NamedFilter{"length", LengthFilter}, NamedFilter{"count", LengthFilter}, NamedFilter{"default", Default},
    NamedFilter{"d", Default},           NamedFilter{"join", JoinFilter},    NamedFilter{"list", ListFilter},
    NamedFilter{"first", First},         NamedFilter{"last", Last},          NamedFilter{"items", Items},
    NamedFilter{"dictsort", DictSort},   NamedFilter{"sort", Sort},          NamedFilter{"reverse", Reverse},
    NamedFilter{"unique", Unique},       NamedFilter{"min", Extreme<false>}, NamedFilter{"max", Extreme<true>},
    NamedFilter{"sum", SumFilter},       NamedFilter{"batch", Batch},        NamedFilter{"slice", Slice},
    NamedFilter{"random", Random},       NamedFilter{"attr", Attribute},     NamedFilter{"pprint", PrettyPrintFilter},
};

}  // namespace

std::span<const NamedFilter> SequenceFilters() { return kFilters; }

}  // namespace bothy::jinja
