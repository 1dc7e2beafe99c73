// value.name, value[key], value[a:b:c] and value(...), by the rules of the sandbox: no name that begins with two
// underscores, nothing that changes a list or dict.
#pragma once

#include <span>
#include <string_view>

#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

// The attribute, or else the item of that name, or else undefined.
Result<Value> GetAttribute(Runtime& rt, const Value& object, std::string_view name);
// The item, or else the attribute of that name, or else undefined.
Result<Value> GetItem(Runtime& rt, const Value& object, const Value& key);
// The attribute alone; nothing where there is none.
Result<std::optional<Value>> FindAttribute(Runtime& rt, const Value& object, std::string_view name);
// Null where a bound is not given.
Result<Value> GetSlice(Runtime& rt, const Value& object, const Value* start, const Value* stop, const Value* step);
Result<Value> CallValue(Runtime& rt, const Value& callee, Arguments& arguments);

// A method of a built-in type.
struct Method {
  std::string_view name;
  Result<Value> (*call)(Runtime& rt, const Value& self, const Arguments& arguments);
};

std::span<const Method> StringMethods();
std::span<const Method> MarkupMethods();  // those of strings, and Markup.striptags
std::span<const Method> DictMethods();
std::span<const Method> SequenceMethods();  // of lists; tuples have all but copy
std::span<const Method> IntegerMethods();
std::span<const Method> FloatMethods();
std::span<const Method> BytesMethods();

// dict.fromkeys(keys, value=None).
Result<Value> DictFromKeys(Runtime& rt, const Arguments& arguments);

}  // namespace bothy::jinja
