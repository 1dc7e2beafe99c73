// A context-free grammar over characters: rules made of literals, classes, sequences, choices, repetitions and
// references. GBNF, regular expressions and JSON schemas are read into one; GrammarProgram (program.h) is what runs.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "runtime/grammar/code_points.h"

namespace bothy {

class Grammar {
 public:
  // A part of a rule. Each is used in one place: what is wanted in several is a rule.
  enum class Node : uint32_t {};
  enum class Rule : uint32_t {};

  static constexpr uint32_t kUnbounded = std::numeric_limits<uint32_t>::max();
  // Bounds on what one grammar may be, so that reading a hostile one ends soon: a node takes about 100 bytes at most,
  // here and in the program together.
  static constexpr size_t kMaxNodes = 1 << 19;
  static constexpr size_t kMaxRules = 1 << 16;
  static constexpr size_t kMaxLiteralBytes = 1 << 20;
  static constexpr size_t kMaxClassRanges = 1 << 18;
  static constexpr uint32_t kMaxDepth = 1000;  // of nodes in nodes

  Node Literal(std::string_view utf8);         // matches what it is; the empty one matches nothing but ""
  Node Class(const CodePointSet& characters);  // one character of these; of an empty set: nothing at all
  Node Sequence(std::vector<Node> parts);
  Node Choice(std::vector<Node> alternatives);         // without alternatives: nothing at all
  Node Repeat(Node part, uint32_t min, uint32_t max);  // min <= max
  Node Optional(Node part) { return Repeat(part, 0, 1); }
  Node Reference(Rule rule);
  Node Empty() { return Literal(""); }
  Node Never() { return Choice({}); }
  // One of `words`, with common beginnings written once, so that many words cost a state no more than few.
  Node Words(std::vector<std::string> words);

  // `name` is for messages. A rule is declared first and defined once.
  Rule Declare(std::string name);
  void Define(Rule rule, Node body);
  bool IsDefined(Rule rule) const { return rules_[Index(rule)].defined; }
  Rule Add(std::string name, Node body);

  // All of another grammar; its root.
  Rule Import(const Grammar& other);

  void SetRoot(Rule rule) { root_ = rule; }
  Rule root() const { return root_; }

  // kResourceExhausted where a bound was passed; what was built since is not to be used.
  Result<void> Check() const;
  bool full() const;

  enum class Kind : uint8_t { kLiteral, kClass, kSequence, kChoice, kRepeat, kReference };
  struct Part {  // a node as it is kept
    Kind kind;
    uint32_t begin = 0, size = 0;  // kLiteral: bytes(); kClass: ranges(); kSequence, kChoice: children()
    uint32_t min = 0, max = 0;     // kRepeat
    uint32_t target = 0;           // kRepeat: the node; kReference: the rule
    uint32_t depth = 0;            // of nodes below it
  };
  const Part& part(Node node) const { return parts_[static_cast<size_t>(node)]; }
  std::string_view bytes(const Part& p) const { return std::string_view(bytes_).substr(p.begin, p.size); }
  std::span<const CodePointRange> ranges(const Part& p) const { return std::span(ranges_).subspan(p.begin, p.size); }
  std::span<const Node> children(const Part& p) const { return std::span(children_).subspan(p.begin, p.size); }
  size_t rule_count() const { return rules_.size(); }
  const std::string& name(Rule rule) const { return rules_[Index(rule)].name; }
  Node body(Rule rule) const { return rules_[Index(rule)].body; }

  static constexpr size_t Index(Rule rule) { return static_cast<size_t>(rule); }

 private:
  struct NamedRule {
    std::string name;
    Node body{};
    bool defined = false;
  };

  Node Put(Part part);
  Node PutList(Kind kind, const std::vector<Node>& nodes);
  Node WordsFrom(std::span<const std::string> words, size_t offset, size_t splits);

  std::vector<Part> parts_;
  std::vector<Node> children_;
  std::vector<CodePointRange> ranges_;
  std::string bytes_;
  std::vector<NamedRule> rules_;
  Rule root_{};
  bool too_deep_ = false;
};

}  // namespace bothy
