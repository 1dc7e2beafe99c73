// Sets of strings that a finite automaton can tell, with intersection and difference: what several conditions on one
// string leave together.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "runtime/grammar/pattern.h"

namespace bothy {

class StringSet {
 public:
  // Larger automata are kResourceExhausted. A pattern's counts and a length are written out here.
  static constexpr size_t kMaxStates = 1 << 14;
  // And so are patterns that take more steps to make one of: a tenth of a second or so.
  static constexpr size_t kMaxSteps = 1 << 22;

  static StringSet All();
  static Result<StringSet> Of(const Pattern& pattern);
  static Result<StringSet> Of(const std::vector<std::string>& words);  // valid UTF-8
  // Of min to max characters; kUnboundedLength.
  static Result<StringSet> OfLength(uint64_t min, uint64_t max);

  Result<StringSet> And(const StringSet& other) const { return Combine(other, true); }
  Result<StringSet> Without(const StringSet& other) const { return Combine(other, false); }

  bool empty() const { return states_.empty(); }
  size_t size() const { return states_.size(); }
  bool Contains(std::string_view text) const;  // valid UTF-8

  // A rule for each state.
  Grammar::Rule WriteTo(Grammar& grammar, const CharacterWriter& write) const;

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  struct Edge {
    CodePointRange characters;
    uint32_t target = 0;
  };
  struct State {
    std::vector<Edge> edges;  // ascending, none overlaps
    bool accepts = false;
  };
  class Builder;

  Result<StringSet> Combine(const StringSet& other, bool wanted) const;
  void Trim();
  static Result<void> CheckSize(size_t states);

  std::vector<State> states_;  // the first is where it begins; none for the empty set
};

// Sets of patterns that were read before.
class PatternSets {
 public:
  Result<const StringSet*> Of(std::string_view pattern, PatternUse use);

 private:
  std::map<std::pair<PatternUse, std::string>, StringSet> sets_;
};

}  // namespace bothy
