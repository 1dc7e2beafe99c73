// A grammar made ready to run: rules as small automata over bytes that call each other.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "runtime/grammar/grammar.h"

namespace bothy {

class GrammarProgram {  // Immutable.
 public:
  // Takes what the root needs. kInvalidArgument where no text can ever follow the grammar and where a rule refers to
  // itself before it has read anything (left recursion).
  static Result<GrammarProgram> Compile(const Grammar& grammar);

  // For each of these rules: whether any text follows it.
  static std::vector<bool> CanEnd(const Grammar& grammar, std::span<const Grammar::Rule> rules);

  enum class Kind : uint8_t {
    kBytes,   // reads one byte, by edges
    kSplit,   // goes on at every one of its targets
    kCall,    // runs a rule, then goes on at `next`
    kRepeat,  // runs a rule min to max times, then goes on at `next`
    kEnd,     // of the rule
    kAccept,  // of the text
  };
  struct Position {
    Kind kind = Kind::kEnd;
    uint32_t begin = 0, size = 0;  // kBytes: of the edges; kSplit: of the targets
    uint32_t rule = 0, next = 0;   // kCall, kRepeat
    uint32_t min = 0, max = 0;     // kRepeat; min is 0 where the rule can be empty
  };
  struct Edge {
    uint8_t first = 0, last = 0;
    uint32_t target = 0;
  };
  struct Rule {
    std::string name;
    uint32_t start = 0;
    bool can_be_empty = false;
    // A rule that begins with another has a lower rank than that one.
    uint32_t rank = 0;
  };
  // Fixed positions: the end of every rule, and of the text.
  static constexpr uint32_t kEndPosition = 0, kAcceptPosition = 1;

  const Position& position(uint32_t index) const { return positions_[index]; }
  std::span<const Edge> edges(const Position& p) const { return std::span(edges_).subspan(p.begin, p.size); }
  std::span<const uint32_t> targets(const Position& p) const { return std::span(targets_).subspan(p.begin, p.size); }
  const Rule& rule(uint32_t index) const { return rules_[index]; }
  uint32_t root() const { return 0; }
  size_t rule_count() const { return rules_.size(); }
  size_t size() const { return positions_.size(); }

 private:
  class Compiler;
  enum class Reading : uint8_t { kNothing, kAnything };
  std::vector<bool> ReachesEnd(Reading reading) const;
  Result<void> Prune();
  Result<void> Rank();
  std::vector<uint32_t> LeftmostCalls(uint32_t rule, std::vector<uint32_t>& seen) const;

  std::vector<Position> positions_;
  std::vector<Edge> edges_;
  std::vector<uint32_t> targets_;
  std::vector<Rule> rules_;
};

}  // namespace bothy
