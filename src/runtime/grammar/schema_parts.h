// Grammars of the kinds of values that schemas describe: strings, arrays, objects.
#pragma once

#include <functional>

#include "base/error.h"
#include "runtime/grammar/json_grammar.h"
#include "runtime/grammar/schema_facts.h"
#include "runtime/grammar/string_set.h"

namespace bothy {

// The rule for values that meet all of these schemas; none: for any value.
using RuleForSchemas = std::function<Grammar::Rule(Conjunction)>;

// One pattern, or lengths, are written as they are; several conditions as the automaton that they leave together.
Result<Grammar::Node> WriteString(const StringFacts& facts, JsonGrammar& json, SchemaBudget& budget);

inline constexpr size_t kMaxPrefixItems = 256;  // items with schemas of their own
Result<Grammar::Node> WriteArray(const ArrayFacts& facts, JsonGrammar& json, const RuleForSchemas& rule_for);

// Properties come in the order in which the schema lists them, and then others: where "additionalProperties",
// "patternProperties" or "propertyNames" says that there may be some, or no property is listed at all. The name of one
// of those is written without \u, so that it is not a listed one in disguise.
inline constexpr size_t kMaxNamePatterns = 4;  // in one object: every set of them is a kind of name
Result<Grammar::Node> WriteObject(const ObjectFacts& facts, JsonGrammar& json, PatternSets& patterns,
                                  SchemaBudget& budget, const RuleForSchemas& rule_for);

}  // namespace bothy
