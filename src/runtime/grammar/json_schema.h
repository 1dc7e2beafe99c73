// JSON schemas as grammars: every text that follows one is JSON that meets the schema.
//
// Taken are drafts 4 to 2020-12 in what they have in common: type, enum, const; minimum, maximum and their exclusive
// forms, exact; minLength, maxLength, pattern, format (string_formats.h); properties, required, additionalProperties,
// patternProperties, propertyNames, minProperties and maxProperties where they need no counting; items, prefixItems (or
// an array as items, with additionalItems), minItems, maxItems; anyOf, allOf, oneOf where it can be shown that no value
// meets two of its alternatives; $ref to #/..., also in circles. Refused by name, for a grammar cannot keep the
// promise: not, if, dependent*, contains, uniqueItems, unevaluated*, multipleOf but for 1, $ref to elsewhere, and what
// schema_parts.h limits. All else is an annotation. That holds for what a value can meet: what nothing refers to is not
// looked at.
//
// Not every value that meets the schema is among the texts: properties come in the schema's order, numbers have
// json_grammar.h's digits, and properties that the schema does not list come only where it says so.
#pragma once

#include <string_view>

#include "base/error.h"
#include "codec/json.h"
#include "runtime/grammar/grammar.h"

namespace bothy {

inline constexpr size_t kMaxSchemaBytes = 1 << 20;
inline constexpr size_t kMaxSchemaValues = 1 << 17;

// kInvalidArgument with the place and the keyword, as "JSON schema, #/properties/a: \"not\" is not supported".
Result<Grammar> JsonSchemaGrammar(const json::value& schema);
Result<Grammar> ParseJsonSchema(std::string_view text);

// Any object.
Grammar JsonObjectGrammar();

}  // namespace bothy
