#include "runtime/grammar/schema_parts.h"

#include <algorithm>

#include "runtime/grammar/string_formats.h"

namespace bothy {

using Node = Grammar::Node;

Result<Node> WriteString(const StringFacts& facts, JsonGrammar& json, SchemaBudget& budget) {
  Grammar& grammar = json.grammar();
  std::vector<Pattern> patterns;
  for (const std::string& pattern : facts.patterns) {
    patterns.push_back(TRY_CONTEXT("\"pattern\"", ParsePattern(pattern, PatternUse::kSearch)));
  }
  for (const std::string& format : facts.formats) {
    if (const auto pattern = PatternOfFormat(format)) {
      patterns.push_back(TRY(ParsePattern(*pattern, PatternUse::kWhole)));
    }
  }
  const auto counted = [](uint64_t length) {
    return static_cast<uint32_t>(std::min<uint64_t>(length, Grammar::kUnbounded));
  };
  const uint64_t min = facts.min_length, max = facts.max_length;
  if (min > max) return grammar.Never();
  if (patterns.empty()) {
    if (min >= Grammar::kUnbounded) return Fail(ErrorCode::kInvalidArgument, "\"minLength\" is too large");
    return json.String(counted(min), counted(max));
  }
  const CharacterWriter write = [&](const CodePointSet& characters) { return json.Character(characters); };
  const auto quoted = [&](Node inside) {
    return grammar.Sequence({grammar.Literal("\""), inside, grammar.Literal("\"")});
  };
  const PatternLength length = LengthOf(patterns[0]);
  if (patterns.size() == 1 && length.min >= min && length.max <= max) {
    return quoted(WritePattern(patterns[0], grammar, write));
  }
  StringSet strings =
      TRY_CONTEXT("\"minLength\", \"maxLength\" beside \"pattern\" or \"format\"", StringSet::OfLength(min, max));
  for (const Pattern& pattern : patterns) {
    const StringSet one = TRY_CONTEXT("\"pattern\" or \"format\"", StringSet::Of(pattern));
    strings = TRY_CONTEXT("\"pattern\" or \"format\" beside others", strings.And(one));
    TRY(budget.Spend(one.size() + strings.size()));
  }
  return quoted(grammar.Reference(strings.WriteTo(grammar, write)));
}

Result<Node> WriteArray(const ArrayFacts& facts, JsonGrammar& json, const RuleForSchemas& rule_for) {
  Grammar& grammar = json.grammar();
  const uint64_t min = facts.min_items, max = facts.max_items;
  size_t listed = 0;
  for (const ArrayView& view : facts.views) listed = std::max(listed, view.first.size());
  if (listed > kMaxPrefixItems) {
    return Fail(ErrorCode::kInvalidArgument, "\"prefixItems\" has more than {} schemas", kMaxPrefixItems);
  }
  if (min > max) return grammar.Never();
  if (min >= Grammar::kUnbounded) return Fail(ErrorCode::kInvalidArgument, "\"minItems\" is too large");
  const auto item = [&](size_t i) {
    Conjunction schemas;
    for (const ArrayView& view : facts.views) {
      const json::value* schema = i < view.first.size() ? view.first[i] : view.rest;
      if (schema != nullptr) schemas.push_back({schema, false});
    }
    return grammar.Reference(rule_for(std::move(schemas)));
  };
  const auto comma = [&](Node then) { return grammar.Sequence({grammar.Literal(","), json.Space(), then}); };
  const auto at_most = [&](uint64_t used) {
    return max == ~uint64_t{0} ? Grammar::kUnbounded
                               : static_cast<uint32_t>(std::min<uint64_t>(max - used, Grammar::kUnbounded));
  };
  // Written from the end: what may stand behind the items so far.
  const size_t single = std::max<size_t>(listed, 1);  // items that are written one by one
  Node behind = grammar.Empty();
  if (max > single) {
    const uint64_t least = min > single ? min - single : 0;
    behind = grammar.Repeat(comma(item(single)), static_cast<uint32_t>(least), at_most(single));
  }
  for (size_t i = static_cast<size_t>(std::min<uint64_t>(single, max)); i-- > 0;) {
    const Node one = grammar.Sequence({i > 0 ? comma(item(i)) : item(i), behind});
    if (i == 0) {
      const Node some = json.Enclosed("[", one, "]");
      return min > 0 ? some : grammar.Choice({some, json.Enclosed("[", std::nullopt, "]")});
    }
    behind = i >= min ? grammar.Optional(one) : one;
  }
  return json.Enclosed("[", std::nullopt, "]");
}

}  // namespace bothy
