#include "runtime/grammar/pattern.h"

#include <algorithm>

namespace bothy {
namespace {

uint64_t Add(uint64_t a, uint64_t b) { return a > kUnboundedLength - b ? kUnboundedLength : a + b; }

uint64_t Multiply(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kUnboundedLength : product;
}

}  // namespace

PatternLength LengthOf(const Pattern& pattern) {
  PatternLength length;
  switch (pattern.kind) {
    case Pattern::Kind::kClass: return {1, 1};
    case Pattern::Kind::kSequence:
      for (const Pattern& part : pattern.parts) {
        const PatternLength one = LengthOf(part);
        length = {Add(length.min, one.min), Add(length.max, one.max)};
      }
      return length;
    case Pattern::Kind::kChoice:
      length.min = kUnboundedLength;
      for (const Pattern& part : pattern.parts) {
        const PatternLength one = LengthOf(part);
        length = {std::min(length.min, one.min), std::max(length.max, one.max)};
      }
      return length;
    case Pattern::Kind::kRepeat: {
      const PatternLength one = LengthOf(pattern.parts[0]);
      length.min = Multiply(one.min, pattern.min);
      const bool unbounded = pattern.max == Grammar::kUnbounded && one.max > 0;
      length.max = unbounded ? kUnboundedLength : Multiply(one.max, pattern.max);
      return length;
    }
  }
  return length;
}

Grammar::Node WritePattern(const Pattern& pattern, Grammar& grammar, const CharacterWriter& write) {
  std::vector<Grammar::Node> parts;
  if (pattern.kind != Pattern::Kind::kClass) {
    for (const Pattern& part : pattern.parts) parts.push_back(WritePattern(part, grammar, write));
  }
  switch (pattern.kind) {
    case Pattern::Kind::kClass: return write(pattern.characters);
    case Pattern::Kind::kSequence: return parts.empty() ? grammar.Empty() : grammar.Sequence(std::move(parts));
    case Pattern::Kind::kChoice: return grammar.Choice(std::move(parts));
    case Pattern::Kind::kRepeat: return grammar.Repeat(parts[0], pattern.min, pattern.max);
  }
  return grammar.Never();
}

Result<Grammar> PatternGrammar(std::string_view text) {
  const Pattern pattern = TRY(ParsePattern(text, PatternUse::kWhole));
  Grammar grammar;
  const auto write = [&](const CodePointSet& characters) { return grammar.Class(characters); };
  grammar.SetRoot(grammar.Add("pattern", WritePattern(pattern, grammar, write)));
  TRY(grammar.Check());
  return grammar;
}

}  // namespace bothy
