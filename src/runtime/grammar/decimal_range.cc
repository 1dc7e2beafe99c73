#include "runtime/grammar/decimal_range.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace bothy {
namespace {

using Node = Grammar::Node;

std::strong_ordering CompareMagnitudes(const Decimal& a, const Decimal& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() <=> b.whole.size();
  if (const int order = a.whole.compare(b.whole); order != 0) return order <=> 0;
  return a.fraction.compare(b.fraction) <=> 0;
}

char DigitAt(std::string_view digits, size_t i) { return i < digits.size() ? digits[i] : '0'; }

// Writes numbers that are not negative.
class RangeWriter {
 public:
  RangeWriter(NumberBound low, std::optional<NumberBound> high, bool integers, JsonGrammar& json)
      : low_(std::move(low)), high_(std::move(high)), integers_(integers), grammar_(json.grammar()) {}

  Node Run() {
    const size_t most = integers_ ? JsonGrammar::kIntegerDigits : JsonGrammar::kNumberDigits;
    std::vector<Node> alternatives;
    for (size_t digits = low_.value.whole.size(); digits <= most; digits++) {
      if (high_ && digits > high_->value.whole.size()) break;
      digits_ = digits;
      alternatives.push_back(Whole(0, digits == low_.value.whole.size(), high_ && digits == high_->value.whole.size()));
    }
    return grammar_.Choice(std::move(alternatives));
  }

 private:
  Node Digit(char first, char last) {
    return grammar_.Class({{static_cast<char32_t>(first), static_cast<char32_t>(last)}});
  }
  Node AnyDigits(size_t min, size_t max) {
    return grammar_.Repeat(Digit('0', '9'), static_cast<uint32_t>(min), static_cast<uint32_t>(max));
  }

  // Alternatives for one more digit between `low` and `high`, where that many first digits are those of a bound.
  // `then`(low is still met, high is still met) writes what follows.
  template <class Then>
  Node OneDigit(bool at_low, bool at_high, char low, char high, const Then& then) {
    std::vector<Node> alternatives;
    const auto add = [&](char first, char last, bool still_low, bool still_high) {
      if (first <= last) alternatives.push_back(grammar_.Sequence({Digit(first, last), then(still_low, still_high)}));
    };
    if (low > high) return grammar_.Never();
    if (at_low && at_high && low == high) {
      add(low, low, true, true);
    } else {
      if (at_low) add(low, low, true, false);
      add(static_cast<char>(low + (at_low ? 1 : 0)), static_cast<char>(high - (at_high ? 1 : 0)), false, false);
      if (at_high) add(high, high, false, true);
    }
    return grammar_.Choice(std::move(alternatives));
  }

  // The digits before the point from the i-th on. `at_low`: those before are the lower bound's.
  Node Whole(size_t i, bool at_low, bool at_high) {
    if (i == digits_) return Fraction(at_low, at_high);
    // No number but 0 begins with 0.
    const char least = i == 0 && digits_ > 1 ? '1' : '0';
    if (!at_low && !at_high && i > 0) {
      return grammar_.Sequence({AnyDigits(digits_ - i, digits_ - i), Fraction(false, false)});
    }
    return OneDigit(at_low, at_high, at_low ? low_.value.whole[i] : least, at_high ? high_->value.whole[i] : '9',
                    [&](bool low, bool high) { return Whole(i + 1, low, high); });
  }

  Node Fraction(bool at_low, bool at_high) {
    std::vector<Node> alternatives;
    if (MayEnd(0, at_low, at_high)) alternatives.push_back(grammar_.Empty());
    if (!integers_ && digits_ < JsonGrammar::kNumberDigits) {
      const size_t room = JsonGrammar::kNumberDigits - digits_;
      alternatives.push_back(grammar_.Sequence({grammar_.Literal("."), FractionFrom(0, room, at_low, at_high)}));
    }
    return grammar_.Choice(std::move(alternatives));
  }

  // Whether the number may be over after i digits behind the point, all of them those of the bounds that are met.
  bool MayEnd(size_t i, bool at_low, bool at_high) const {
    if (at_low && (i < low_.value.fraction.size() || low_.exclusive)) return false;
    return !at_high || i < high_->value.fraction.size() || !high_->exclusive;
  }

  Node FractionFrom(size_t i, size_t room, bool at_low, bool at_high) {
    if (at_low && i >= low_.value.fraction.size() && !low_.exclusive) at_low = false;  // whatever follows is more
    if (!at_low && !at_high) return AnyDigits(i == 0 ? 1 : 0, room - i);
    std::vector<Node> alternatives;
    if (i > 0 && MayEnd(i, at_low, at_high)) alternatives.push_back(grammar_.Empty());
    if (i < room) {
      alternatives.push_back(OneDigit(at_low, at_high, at_low ? DigitAt(low_.value.fraction, i) : '0',
                                      at_high ? DigitAt(high_->value.fraction, i) : '9',
                                      [&](bool low, bool high) { return FractionFrom(i + 1, room, low, high); }));
    }
    return grammar_.Choice(std::move(alternatives));
  }

  NumberBound low_;
  std::optional<NumberBound> high_;
  bool integers_;
  Grammar& grammar_;
  size_t digits_ = 0;  // before the point, of the numbers that are being written
};

Decimal FromDigits(std::string digits, bool negative) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return {.negative = negative, .whole = std::move(digits), .fraction = {}};
}

}  // namespace

Decimal Decimal::Of(int64_t value) {
  std::string digits = std::to_string(value);
  const bool negative = digits.starts_with('-');
  return FromDigits(digits.substr(negative ? 1 : 0), negative);
}

Decimal Decimal::Of(uint64_t value) { return FromDigits(std::to_string(value), false); }

Decimal Decimal::Of(double value) {
  // d.ddde+NN, to the fewest digits that are this double.
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(value), std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  const size_t e = text.find('e');
  int exponent = 0;
  const char* digits_of_exponent = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(digits_of_exponent, text.data() + text.size(), exponent);
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (c != '.') digits += c;
  }
  const int before_point = exponent + 1;
  if (before_point <= 0) {
    digits.insert(0, static_cast<size_t>(1 - before_point), '0');
  } else if (digits.size() < static_cast<size_t>(before_point)) {
    digits.append(static_cast<size_t>(before_point) - digits.size(), '0');
  }
  const auto whole = static_cast<size_t>(std::max(before_point, 1));
  Decimal decimal = FromDigits(digits.substr(0, whole), std::signbit(value));
  decimal.fraction = digits.substr(whole);
  decimal.fraction.erase(decimal.fraction.find_last_not_of('0') + 1);
  return decimal;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  if (a.zero() && b.zero()) return std::strong_ordering::equal;
  const bool a_negative = a.negative && !a.zero(), b_negative = b.negative && !b.zero();
  if (a_negative != b_negative) return b_negative <=> a_negative;
  return a_negative ? CompareMagnitudes(b, a) : CompareMagnitudes(a, b);
}

void TakeLow(NumberRange& range, NumberBound low) {
  if (range.low) {
    const auto order = low.value <=> range.low->value;
    if (order < 0 || (order == 0 && range.low->exclusive)) return;
  }
  range.low = std::move(low);
}

void TakeHigh(NumberRange& range, NumberBound high) {
  if (range.high) {
    const auto order = high.value <=> range.high->value;
    if (order > 0 || (order == 0 && range.high->exclusive)) return;
  }
  range.high = std::move(high);
}

Grammar::Node WriteNumberRange(const NumberRange& range, bool integers, JsonGrammar& json) {
  const auto negated = [](const NumberBound& bound) {
    NumberBound other = bound;
    other.value.negative = !bound.value.negative;
    return other;
  };
  const Decimal zero;
  const bool reaches_up =
      !range.high || range.high->value > zero || (range.high->value == zero && !range.high->exclusive);
  const bool reaches_down = !range.low || range.low->value < zero;
  Grammar& grammar = json.grammar();
  std::vector<Node> alternatives;
  if (reaches_up) {
    const NumberBound low = reaches_down ? NumberBound{} : *range.low;
    alternatives.push_back(RangeWriter(low, range.high, integers, json).Run());
  }
  if (reaches_down) {
    const bool all = !range.high || range.high->value >= zero;
    const NumberBound low = all ? NumberBound{.value = {}, .exclusive = true} : negated(*range.high);
    std::optional<NumberBound> high;
    if (range.low) high = negated(*range.low);
    alternatives.push_back(grammar.Sequence({grammar.Literal("-"), RangeWriter(low, high, integers, json).Run()}));
  }
  return grammar.Choice(std::move(alternatives));
}

}  // namespace bothy
