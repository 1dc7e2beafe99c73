#include "codec/jinja/runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "codec/jinja/text.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

constexpr size_t kBytesPerStep = 32;

uint32_t DeepestOf(const std::vector<Value>& items) {
  uint32_t deepest = 0;
  for (const Value& item : items) deepest = std::max(deepest, item.depth());
  return deepest;
}

}  // namespace

Runtime::Runtime(const RenderOptions& options) : options_(options) { budget_.limit = options.limits.memory; }

Runtime::~Runtime() {
  // Everything that may be part of a cycle is alive here, so nothing is destroyed through a long chain of others.
  for (const auto& clear : clearings_) clear();
  for (const auto& object : kept_) object->Clear();
}

Result<void> Runtime::Step(size_t steps) {
  steps_ += steps;
  if (steps_ > options_.limits.steps) {
    return Fail(ErrorCode::kResourceExhausted, "the template takes more than {} steps", options_.limits.steps);
  }
  TRY(Fits(0));
  if (budget_.too_deep) {
    return Fail(ErrorCode::kResourceExhausted, "a list or dict is nested more than {} deep", kMaxNesting);
  }
  return {};
}

Result<void> Runtime::Fits(size_t bytes) const {
  if (bytes <= budget_.limit && budget_.live <= budget_.limit - bytes) return {};
  return Fail(ErrorCode::kResourceExhausted, "the template's values take more than {} bytes", budget_.limit);
}

Result<void> Runtime::Bytes(size_t bytes) {
  TRY(Fits(bytes));
  return Step(bytes / kBytesPerStep);
}

Result<void> Runtime::Bytes(size_t count, size_t each) {
  if (each != 0 && count > budget_.limit / each) return Fits(budget_.limit + 1);
  return Bytes(count * each);
}

Result<void> Runtime::CheckDepth() const {
  if (depth_ <= options_.limits.depth) return {};
  return Fail(ErrorCode::kResourceExhausted, "the template recurses more than {} levels deep", options_.limits.depth);
}

void Runtime::Account(HeapObject& object, uint32_t below, size_t payload) {
  object.budget = &budget_;
  object.bytes = 64 + payload;
  object.depth = below + 1;
  budget_.live += object.bytes;
  if (object.depth > kMaxNesting) budget_.too_deep = true;
}

Value Runtime::String(std::string text, bool markup) {
  auto object = Make<StringObject>(0, text.capacity());
  object->length = CountCodePoints(text);
  object->text = std::move(text);
  object->markup = markup;
  return {Kind::kString, std::move(object)};
}

Value Runtime::BytesValue(std::string data) {
  auto object = Make<BytesObject>(0, data.capacity());
  object->data = std::move(data);
  return {Kind::kBytes, std::move(object)};
}

Value Runtime::List(std::vector<Value> items) {
  auto object = Make<SequenceObject>(DeepestOf(items), items.capacity() * sizeof(Value));
  object->items = std::move(items);
  return {Kind::kList, std::move(object)};
}

Value Runtime::Tuple(std::vector<Value> items) {
  Value list = List(std::move(items));
  return {Kind::kTuple, list.heap()};
}

Value Runtime::Group(Value grouper, std::vector<Value> items) {
  Value group = Tuple({std::move(grouper), List(std::move(items))});
  group.As<SequenceObject>().is_group = true;
  return group;
}

Value Runtime::Dict(std::vector<DictObject::Entry> entries) {
  std::vector<uint32_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const int compared = CompareKeys(entries[a].first, entries[b].first);
    return compared != 0 ? compared < 0 : a < b;
  });
  // Of equal keys the first stays, with the last one's value.
  std::vector<bool> dropped;
  for (size_t i = 0; i + 1 < order.size();) {
    size_t end = i + 1;
    while (end < order.size() && CompareKeys(entries[order[i]].first, entries[order[end]].first) == 0) ++end;
    if (end - i > 1) {
      dropped.resize(entries.size());
      entries[order[i]].second = entries[order[end - 1]].second;
      for (size_t k = i + 1; k < end; ++k) dropped[order[k]] = true;
    }
    i = end;
  }
  if (!dropped.empty()) {
    std::vector<uint32_t> moved(entries.size());
    uint32_t kept = 0;
    for (uint32_t i = 0; i < entries.size(); ++i) {
      moved[i] = kept;
      if (dropped[i]) continue;
      if (kept != i) entries[kept] = std::move(entries[i]);
      ++kept;
    }
    entries.resize(kept);
    std::erase_if(order, [&](uint32_t i) { return dropped[i]; });
    for (uint32_t& i : order) i = moved[i];
  }
  uint32_t deepest = 0;
  for (const auto& [key, value] : entries) deepest = std::max({deepest, key.depth(), value.depth()});
  auto object = Make<DictObject>(deepest, entries.capacity() * (sizeof(DictObject::Entry) + sizeof(uint32_t)));
  object->entries = std::move(entries);
  object->sorted = std::move(order);
  return {Kind::kDict, std::move(object)};
}

Value Runtime::DictView(Value dict, DictViewObject::Part part) {
  auto object = Make<DictViewObject>(dict.depth(), 0);
  object->dict = std::move(dict);
  object->part = part;
  return {Kind::kDictView, std::move(object)};
}

Value Runtime::Range(int64_t start, int64_t stop, int64_t step, int64_t size) {
  auto object = Make<RangeObject>(0, 0);
  object->start = start;
  object->stop = stop;
  object->step = step;
  object->size = size;
  return {Kind::kRange, std::move(object)};
}

Value Runtime::Integer(BigInt value) {
  if (const auto small = value.ToInt64()) return Value::Int(*small);
  auto object = Make<BigIntObject>(0, value.BitLength() / 8);
  object->value = std::move(value);
  return {Kind::kBigInt, std::move(object)};
}

Value Runtime::Undefined(std::string_view name) {
  auto object = Make<UndefinedObject>(0, name.size());
  object->name = name;
  return {Kind::kUndefined, std::move(object)};
}

Value Runtime::UndefinedHint(std::string hint, std::string_view name) {
  auto object = Make<UndefinedObject>(0, hint.size() + name.size());
  object->hint = std::move(hint);
  object->name = name;
  return {Kind::kUndefined, std::move(object)};
}

Value Runtime::UndefinedAttribute(const Value& owner, std::string_view name) {
  auto object = Make<UndefinedObject>(0, name.size());
  object->owner = owner.IsNone() ? "None" : TypeName(owner) + " object";
  object->name = name;
  return {Kind::kUndefined, std::move(object)};
}

Value Runtime::UndefinedElement(const Value& owner, const Value& key) {
  Value undefined = UndefinedAttribute(owner, key.IsString() ? std::string_view(key.text()) : std::string_view());
  if (!key.IsString()) {
    auto& object = undefined.As<UndefinedObject>();
    object.is_element = true;
    object.name = ShortRepr(key);
  }
  return undefined;
}

tl::unexpected<Error> FailUndefined(const Value& undefined) {
  return tl::unexpected<Error>(Error{ErrorCode::kInvalidArgument, undefined.undefined().Message()});
}

}  // namespace bothy::jinja
