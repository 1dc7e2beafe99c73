// Grammars of numbers between bounds, digit by digit: exact, where a comparison of doubles would not be a grammar.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "runtime/grammar/json_grammar.h"

namespace bothy {

// A number as it is written without an exponent.
struct Decimal {
  bool negative = false;
  std::string whole = "0";  // without zeros in front
  std::string fraction;     // without zeros at the end
  bool zero() const { return whole == "0" && fraction.empty(); }

  // The shortest that is this double.
  static Decimal Of(double value);
  static Decimal Of(int64_t value);
  static Decimal Of(uint64_t value);
};
std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
inline bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == 0; }

struct NumberBound {
  Decimal value;
  bool exclusive = false;
};

struct NumberRange {
  std::optional<NumberBound> low, high;
  bool open() const { return !low && !high; }
};

// What both ask for.
void TakeLow(NumberRange& range, NumberBound low);
void TakeHigh(NumberRange& range, NumberBound high);

// Integers (of up to 18 digits) or numbers (of up to 15, so that no two are the same double) in the range, without an
// exponent; "-0" is not among them. Matches nothing where there is none.
Grammar::Node WriteNumberRange(const NumberRange& range, bool integers, JsonGrammar& json);

}  // namespace bothy
