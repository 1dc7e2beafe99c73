#include "codec/jinja/iterate.h"

#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

struct FunctionIterator final : IteratorObject {
  std::function<Result<std::optional<Value>>(Runtime&)> next;
  bool finished = false;

  Result<std::optional<Value>> Next(Runtime& rt) override {
    if (finished) return std::nullopt;
    TRY(rt.Step());
    const Runtime::Deeper deeper(rt);
    TRY(rt.CheckDepth());
    auto item = next(rt);
    finished = !item || !*item;
    return item;
  }
};

// Counts through something that can tell its size and any item.
struct IndexIterator final : IteratorObject {
  Value source;
  size_t position = 0;
  bool backward = false;

  Result<std::optional<Value>> Next(Runtime& rt) override {
    TRY(rt.Step());
    if (source.IsString()) return NextCharacter(rt);
    const size_t size = KnownLength(source).value_or(0);
    if (position >= size) return std::nullopt;
    const size_t index = backward ? size - 1 - position : position;
    ++position;
    return At(rt, index);
  }

  std::optional<Value> NextCharacter(Runtime& rt) {
    const std::string& text = source.text();
    if (position >= text.size()) return std::nullopt;
    const size_t start = position;
    NextCodePoint(text, position);
    return rt.String(text.substr(start, position - start), source.string().markup);
  }

  Value At(Runtime& rt, size_t index) const {
    switch (source.kind()) {
      case Kind::kList:
      case Kind::kTuple: return source.items()[index];
      case Kind::kRange: return Value::Int(source.range().At(static_cast<int64_t>(index)));
      case Kind::kBytes: return Value::Int(static_cast<unsigned char>(source.bytes().data[index]));
      case Kind::kDict: return source.dict().entries[index].first;
      default: {
        const auto& view = source.As<DictViewObject>();
        const auto& [key, value] = view.dict.dict().entries[index];
        if (view.part == DictViewObject::Part::kKeys) return key;
        if (view.part == DictViewObject::Part::kValues) return value;
        return rt.Tuple({key, value});
      }
    }
  }
};

std::string_view IteratorType(const Value& value) {
  switch (value.kind()) {
    case Kind::kList: return "list_iterator";
    case Kind::kTuple: return "tuple_iterator";
    case Kind::kString: return "str_iterator";
    case Kind::kRange: return "range_iterator";
    default: return "iterator";
  }
}

std::shared_ptr<IndexIterator> Indexed(Runtime& rt, const Value& value, bool backward) {
  auto iterator = rt.Make<IndexIterator>(value.depth(), 0);
  iterator->type = backward ? "reversed" : IteratorType(value);
  iterator->source = value;
  iterator->backward = backward;
  return iterator;
}

}  // namespace

bool IsIterable(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
    case Kind::kDictView:
    case Kind::kRange:
    case Kind::kIterator: return true;
    default: return false;
  }
}

Result<std::shared_ptr<IteratorObject>> Iterate(Runtime& rt, const Value& value) {
  if (value.Is(Kind::kIterator)) return std::static_pointer_cast<IteratorObject>(value.heap());
  if (!IsIterable(value)) {
    return Fail(ErrorCode::kInvalidArgument, "'{}' object is not iterable", TypeName(value));
  }
  if (value.IsUndefined()) return Indexed(rt, rt.Tuple({}), false);
  return Indexed(rt, value, false);
}

Result<std::vector<Value>> ToVector(Runtime& rt, const Value& value) {
  if (value.IsSequence()) {
    TRY(rt.Bytes(value.items().size(), sizeof(Value)));
    return value.items();
  }
  const auto iterator = TRY(Iterate(rt, value));
  std::vector<Value> items;
  while (auto next = TRY(iterator->Next(rt))) {
    items.push_back(std::move(*next));
    // Not accounted before it is part of a list, so looked at while it grows.
    TRY(rt.Fits(items.size() * sizeof(Value)));
  }
  return items;
}

std::optional<size_t> KnownLength(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined: return 0;
    case Kind::kString: return value.string().length;
    case Kind::kBytes: return value.bytes().data.size();
    case Kind::kList:
    case Kind::kTuple: return value.items().size();
    case Kind::kDict: return value.dict().entries.size();
    case Kind::kDictView: return value.As<DictViewObject>().dict.dict().entries.size();
    case Kind::kRange: return static_cast<size_t>(value.range().size);
    default: return std::nullopt;
  }
}

Result<size_t> Length(const Value& value) {
  if (const auto length = KnownLength(value)) return *length;
  return Fail(ErrorCode::kInvalidArgument, "object of type '{}' has no len()", TypeName(value));
}

Value Generator(Runtime& rt, uint32_t below, std::function<Result<std::optional<Value>>(Runtime&)> next,
                std::string type) {
  auto iterator = rt.Make<FunctionIterator>(below, 64);
  iterator->next = std::move(next);
  iterator->type = std::move(type);
  return {Kind::kIterator, std::move(iterator)};
}

Result<std::optional<Value>> Reversed(Runtime& rt, const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined: return Value(Kind::kIterator, Indexed(rt, rt.Tuple({}), true));
    case Kind::kString: {
      TRY(rt.Bytes(value.text().size()));
      std::vector<Value> characters;
      for (size_t i = 0; i < value.text().size();) {
        const size_t start = i;
        NextCodePoint(value.text(), i);
        TRY(rt.Step());
        characters.push_back(rt.String(value.text().substr(start, i - start)));
      }
      return Value(Kind::kIterator, Indexed(rt, rt.List(std::move(characters)), true));
    }
    case Kind::kBytes:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
    case Kind::kDictView:
    case Kind::kRange: return Value(Kind::kIterator, Indexed(rt, value, true));
    default: return std::nullopt;
  }
}

}  // namespace bothy::jinja
