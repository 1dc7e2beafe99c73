// Regular expressions as ECMA-262 writes them, with the unicode flag: what JSON Schema's "pattern" means. Taken are
// classes, groups, alternatives and counts; anchors at the beginning and at the end of an alternative. What no
// automaton can follow, or is not known here, is refused by name: lookaround, backreferences, \b, \p{...}, anchors
// elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "runtime/grammar/code_points.h"
#include "runtime/grammar/grammar.h"

namespace bothy {

// A part of an expression. Without anchors: what it matches, it matches from beginning to end.
struct Pattern {
  enum class Kind : uint8_t { kClass, kSequence, kChoice, kRepeat };
  Kind kind = Kind::kSequence;
  CodePointSet characters;     // kClass
  std::vector<Pattern> parts;  // kRepeat: one
  uint32_t min = 0, max = 0;   // kRepeat; Grammar::kUnbounded
};

inline constexpr size_t kMaxPatternBytes = 1 << 16;
inline constexpr size_t kMaxPatternDepth = 100;  // of groups in groups

// kSearch: what lies around a match is part of the pattern as well, unless an anchor forbids it. kInvalidArgument with
// the offset of what cannot be read.
enum class PatternUse : uint8_t { kWhole, kSearch };
Result<Pattern> ParsePattern(std::string_view text, PatternUse use);

// How many characters a match has.
struct PatternLength {
  uint64_t min = 0, max = 0;  // max may be kUnboundedLength
};
inline constexpr uint64_t kUnboundedLength = ~uint64_t{0};
PatternLength LengthOf(const Pattern& pattern);

// `write` makes a part of the grammar that stands for one character of a set.
using CharacterWriter = std::function<Grammar::Node(const CodePointSet&)>;
Grammar::Node WritePattern(const Pattern& pattern, Grammar& grammar, const CharacterWriter& write);

// Texts that as a whole match a pattern.
Result<Grammar> PatternGrammar(std::string_view text);

}  // namespace bothy
