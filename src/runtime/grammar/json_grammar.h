// JSON's own rules, which grammars of JSON schemas are made of.
//
// A text has no white space at its ends. Between its parts there may be one space, or one new line with up to 40 spaces
// or 10 tabs: enough for every common way to write JSON, and an end for a model that would go on with it for ever.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "runtime/grammar/grammar.h"

namespace bothy {

class JsonGrammar {
 public:
  using Node = Grammar::Node;
  using Rule = Grammar::Rule;

  // A number has at most this many digits before the point and this many after it, an integer 18 in all: what a double
  // and an int64 hold exactly. A number without bounds may have an exponent of two digits.
  static constexpr uint32_t kNumberDigits = 15, kFractionDigits = 15, kIntegerDigits = 18;

  explicit JsonGrammar(Grammar& grammar) : grammar_(grammar) {}

  Grammar& grammar() { return grammar_; }

  Node Space() { return Use(&JsonGrammar::MakeSpace, space_); }
  Node Value() { return Use(&JsonGrammar::MakeValue, value_); }
  Node Object() { return Use(&JsonGrammar::MakeObject, object_); }
  Node Array() { return Use(&JsonGrammar::MakeArray, array_); }
  Node Number() { return Use(&JsonGrammar::MakeNumber, number_); }
  Node Integer() { return Use(&JsonGrammar::MakeInteger, integer_); }
  // Of min to max characters, which may be Grammar::kUnbounded; spelled in any way that JSON has.
  Node String(uint32_t min, uint32_t max);

  // A character of a set inside a string, spelled in the shortest way: an escape only where there must be one.
  Node Character(const CodePointSet& characters);
  // A string that is written this way, with its quotation marks.
  static std::string Quoted(std::string_view utf8);

  // One of these values; a number as a person would write it, which Boost does not.
  Node Constants(std::span<const json::value* const> values);

  // "[", parts and "]" with space inside; nothing between where `parts` is nothing.
  Node Enclosed(std::string_view open, std::optional<Node> parts, std::string_view close);

 private:
  Node Use(void (JsonGrammar::*make)(Rule), std::optional<Rule>& rule);
  void MakeSpace(Rule rule);
  void MakeValue(Rule rule);
  void MakeObject(Rule rule);
  void MakeArray(Rule rule);
  void MakeNumber(Rule rule);
  void MakeInteger(Rule rule);
  void MakeStringCharacter(Rule rule);
  Node List(std::vector<Node> parts);
  Node List(Node first, Node again);
  Node Constant(const json::value& value);

  Node Text(std::string_view text) { return grammar_.Literal(text); }
  Node Class(std::initializer_list<CodePointRange> ranges) { return grammar_.Class(CodePointSet(ranges)); }
  Node Digits(uint32_t min, uint32_t max) { return grammar_.Repeat(Class({{'0', '9'}}), min, max); }

  Grammar& grammar_;
  std::optional<Rule> space_, value_, object_, array_, number_, integer_, string_character_;
  std::map<std::vector<std::pair<char32_t, char32_t>>, Rule> characters_;
};

}  // namespace bothy
