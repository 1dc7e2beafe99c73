// What a template computes with: Python's values, as far as templates can make or meet them. A value is small and is
// copied freely; strings, lists and dicts lie behind shared pointers and never change (the sandbox forbids it), only
// namespaces, iterators and a few helpers do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "codec/jinja/big_int.h"

namespace bothy::jinja {

class Runtime;
class Value;
struct Arguments;

enum class Kind : uint8_t {
  kUndefined,
  kNone,
  kBool,
  kInt,
  kBigInt,
  kFloat,
  kString,
  kBytes,
  kList,
  kTuple,
  kDict,
  kDictView,
  kRange,
  kIterator,
  kObject,  // functions, macros, namespaces, loop and the like: see Object
};

// Counts what the values of one rendering hold alive.
struct MemoryBudget {
  size_t live = 0;
  size_t limit = 0;
  bool too_deep = false;  // a container was nested beyond kMaxNesting; the next step fails
};

// Containers deeper than this are refused, so that recursion over a value is bounded.
inline constexpr uint32_t kMaxNesting = 500;

struct HeapObject {
  HeapObject() = default;
  virtual ~HeapObject() {
    if (budget != nullptr) budget->live -= bytes;
  }
  HeapObject(const HeapObject&) = delete;
  HeapObject& operator=(const HeapObject&) = delete;

  MemoryBudget* budget = nullptr;  // null for the constants of a template
  size_t bytes = 0;
  uint32_t depth = 1;  // containers below this one, itself counted
};

struct UndefinedObject : HeapObject {
  std::string hint;         // the whole message, where there is one
  std::string owner;        // type of the object that lacks it; empty for a variable
  std::string name;         // of the variable or attribute
  bool is_element = false;  // not an attribute: items[99]
  std::string Message() const;
};

struct StringObject : HeapObject {
  std::string text;
  size_t length = 0;    // in code points
  bool markup = false;  // markupsafe's Markup: text that is HTML already
  bool IsAscii() const { return length == text.size(); }
};

struct BytesObject : HeapObject {
  std::string data;
};

struct BigIntObject : HeapObject {
  BigInt value;
};

struct SequenceObject : HeapObject {  // list and tuple
  std::vector<Value> items;
  bool is_group = false;  // a tuple of groupby, whose two items are also called grouper and list
};

struct RangeObject : HeapObject {
  int64_t start = 0;
  int64_t stop = 0;  // as it was asked for
  int64_t step = 1;
  int64_t size = 0;
  int64_t At(int64_t i) const { return i == 0 ? start : start + i * step; }
};

// A source of values that is consumed once: Python's generators.
struct IteratorObject : HeapObject {
  std::string type = "generator";
  virtual Result<std::optional<Value>> Next(Runtime& rt) = 0;  // nothing at the end
};

// Everything with behaviour of its own.
struct Object : HeapObject, std::enable_shared_from_this<Object> {
  virtual std::string TypeName() const = 0;
  virtual Result<std::string> Repr(Runtime&) const { return "<" + TypeName() + ">"; }
  virtual bool IsCallable() const { return false; }
  virtual Result<Value> Call(Runtime& rt, Arguments& arguments);
  // A Python attribute; nothing where there is none of that name.
  virtual Result<std::optional<Value>> GetAttribute(Runtime& rt, std::string_view name);
  // Drops the values it holds, so that cycles through it are released at the end of a rendering.
  virtual void Clear() {}
};

class Value {
 public:
  Value() = default;  // None
  Value(Kind kind, std::shared_ptr<HeapObject> object) : kind_(kind), object_(std::move(object)) {}
  static Value None() { return {}; }
  static Value Bool(bool b);
  static Value Int(int64_t i);
  static Value Float(double d);

  Kind kind() const { return kind_; }
  bool Is(Kind kind) const { return kind_ == kind; }
  bool IsNone() const { return kind_ == Kind::kNone; }
  bool IsUndefined() const { return kind_ == Kind::kUndefined; }
  bool IsString() const { return kind_ == Kind::kString; }
  bool IsSequence() const { return kind_ == Kind::kList || kind_ == Kind::kTuple; }
  bool IsDict() const { return kind_ == Kind::kDict; }
  // int, bool or an integer beyond 64 bits: what Python's int is.
  bool IsIntegral() const { return kind_ == Kind::kInt || kind_ == Kind::kBool || kind_ == Kind::kBigInt; }
  bool IsNumber() const { return IsIntegral() || kind_ == Kind::kFloat; }

  bool boolean() const { return payload_.integer != 0; }
  int64_t integer() const { return payload_.integer; }  // also of a bool
  double real() const { return payload_.real; }

  const UndefinedObject& undefined() const { return As<UndefinedObject>(); }
  const StringObject& string() const { return As<StringObject>(); }
  const std::string& text() const { return As<StringObject>().text; }
  const BytesObject& bytes() const { return As<BytesObject>(); }
  const BigInt& big() const { return As<BigIntObject>().value; }
  const std::vector<Value>& items() const { return As<SequenceObject>().items; }
  const SequenceObject& sequence() const { return As<SequenceObject>(); }
  const struct DictObject& dict() const;
  const RangeObject& range() const { return As<RangeObject>(); }
  IteratorObject& iterator() const { return As<IteratorObject>(); }
  Object& object() const { return As<Object>(); }

  const std::shared_ptr<HeapObject>& heap() const { return object_; }
  template <class T>
  T& As() const {
    return static_cast<T&>(*object_);
  }
  uint32_t depth() const { return object_ ? object_->depth : 0; }

 private:
  Kind kind_ = Kind::kNone;
  union {
    int64_t integer = 0;
    double real;
  } payload_;
  std::shared_ptr<HeapObject> object_;
};

// Keys are unique, in the order of first insertion; a later value of the same key replaced the earlier.
struct DictObject : HeapObject {
  using Entry = std::pair<Value, Value>;
  std::vector<Entry> entries;
  std::vector<uint32_t> sorted;  // entries in the order of CompareKeys

  const Value* Find(const Value& key) const;  // null where absent; the key is hashable
  const Value* Find(std::string_view key) const;
};

struct DictViewObject : HeapObject {
  enum class Part : uint8_t { kKeys, kValues, kItems };
  Value dict;
  Part part = Part::kKeys;
};

// What a call passes: f(1, 2, name=3).
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

// Python's name of the type: "str", "NoneType", ...
std::string TypeName(const Value& value);
bool IsTrue(const Value& value);
// A total order over hashable values in which exactly equal keys (1 and true) compare equal.
int CompareKeys(const Value& a, const Value& b);

}  // namespace bothy::jinja
