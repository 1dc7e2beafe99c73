// What a JSON schema demands, read and sorted by kind of value: references followed, allOf merged, anyOf and oneOf as
// alternatives.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "codec/json.h"
#include "runtime/grammar/decimal_range.h"
#include "runtime/grammar/schema_document.h"

namespace bothy {

// Schemas that a value must meet all of; in the order in which they were found, which is that of what is written.
struct SchemaPart {
  const json::value* schema = nullptr;
  bool without_others = false;  // only its own keywords: neither "$ref" nor allOf, anyOf and oneOf
  auto operator<=>(const SchemaPart&) const = default;
};
using Conjunction = std::vector<SchemaPart>;

enum SchemaType : uint8_t {
  kNullType = 1,
  kBooleanType = 2,
  kIntegerType = 4,
  kFractionType = 8,  // numbers that are no integers
  kStringType = 16,
  kArrayType = 32,
  kObjectType = 64,
  kAllTypes = 127,
};

struct StringFacts {
  uint64_t min_length = 0, max_length = ~uint64_t{0};
  std::vector<std::string> patterns, formats;
};

// What one schema says of the parts of arrays and objects; several are met by each part's meeting all of theirs.
struct ArrayView {
  std::vector<const json::value*> first;  // of the items with these numbers
  const json::value* rest = nullptr;      // of those behind
};
struct ArrayFacts {
  uint64_t min_items = 0, max_items = ~uint64_t{0};
  std::vector<ArrayView> views;
};

struct ObjectView {
  const json::object* properties = nullptr;
  const json::object* patterns = nullptr;   // patternProperties
  const json::value* additional = nullptr;  // of what neither names
};
struct ObjectFacts {
  uint64_t min_properties = 0, max_properties = ~uint64_t{0};
  std::vector<std::string> required;      // each once
  std::vector<const json::value*> names;  // propertyNames
  std::vector<ObjectView> views;
};

struct SchemaFacts {
  uint8_t types = kAllTypes;
  const json::array* values = nullptr;  // enum: one of these, as far as they meet the rest
  const json::value* value = nullptr;   // const
  NumberRange numbers;
  StringFacts strings;
  ArrayFacts arrays;
  ObjectFacts objects;
  bool open = true;  // demands nothing
};

// Two alternatives of a oneOf that a value must not meet both.
struct Exclusion {
  Conjunction both;
  const json::value* one_of = nullptr;
};

struct SchemaAlternatives {
  std::vector<SchemaFacts> facts;  // none where nothing can meet the schema
  std::vector<Exclusion> exclusions;
};

inline constexpr size_t kMaxAlternatives = 512;   // of one schema, when all anyOf in each other are multiplied out
inline constexpr size_t kMaxExclusive = 64;       // of one oneOf: each pair is looked at
inline constexpr size_t kMaxSchemaNesting = 300;  // of references and of allOf, anyOf and oneOf

// Work that a schema may make, in keywords' owners times alternatives: small schemas can multiply into large ones.
class SchemaBudget {
 public:
  static constexpr size_t kWork = 1 << 18;  // a second or so
  Result<void> Spend(size_t work);

 private:
  size_t spent_ = 0;
};

// kInvalidArgument, with the pointer and the keyword, for what is not supported or makes no sense.
Result<SchemaAlternatives> ReadFacts(const SchemaDocument& document, const Conjunction& schemas, SchemaBudget& budget);

}  // namespace bothy
