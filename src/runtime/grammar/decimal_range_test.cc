#include "runtime/grammar/decimal_range.h"

#include <gtest/gtest.h>

#include <random>

#include "runtime/grammar/testing.h"

namespace bothy {
namespace {

// Thousandths as text, as short as can be: -1500 is "-1.5".
std::string Thousandths(int64_t value) {
  std::string text = fmt::format("{}.{:03}", std::abs(value) / 1000, std::abs(value) % 1000);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return (value < 0 ? "-" : "") + text;
}

struct Range {
  std::optional<int64_t> low, high;  // thousandths
  bool low_exclusive = false, high_exclusive = false;

  bool Contains(int64_t value) const {
    if (low && (value < *low || (value == *low && low_exclusive))) return false;
    return !high || (value <= *high && (value < *high || !high_exclusive));
  }
  NumberRange Bounds() const {
    NumberRange range;
    if (low) range.low = NumberBound{Decimal::Of(static_cast<double>(*low) / 1000), low_exclusive};
    if (high) range.high = NumberBound{Decimal::Of(static_cast<double>(*high) / 1000), high_exclusive};
    return range;
  }
};

Result<GrammarProgram> Compile(const NumberRange& range, bool integers) {
  Grammar grammar;
  JsonGrammar json(grammar);
  grammar.SetRoot(grammar.Add("number", WriteNumberRange(range, integers, json)));
  return GrammarProgram::Compile(grammar);
}

TEST(NumberRange, HoldsWhatLiesBetweenItsBounds) {
  std::minstd_rand random(5);
  const auto any = [&](int64_t size) { return static_cast<int64_t>(random()) % (2 * size + 1) - size; };
  size_t inside = 0, impossible = 0;
  for (int i = 0; i < 500; i++) {
    const int64_t size = std::vector<int64_t>{3, 2000, 30'000, 2'000'000}[static_cast<size_t>(i) % 4];
    Range range;
    range.low = any(size);
    range.high = *range.low + std::abs(any(size)) - (i % 10 == 0 ? 5 : 0);
    if (i % 5 == 1) range.low.reset();
    if (i % 5 == 2) range.high.reset();
    range.low_exclusive = random() % 2 == 0;
    range.high_exclusive = random() % 2 == 0;
    const auto numbers = Compile(range.Bounds(), false), integers = Compile(range.Bounds(), true);
    for (int j = 0; j < 60; j++) {
      int64_t value = any(size);
      if (j % 3 == 0 && range.low) value = *range.low + any(3);
      if (j % 3 == 1 && range.high) value = *range.high + any(3);
      const std::string text = Thousandths(value);
      const bool whole = value % 1000 == 0;
      const bool contains = range.Contains(value);
      inside += contains ? 1 : 0;
      const std::string context = fmt::format(
          "{} in {}{} .. {}{}", text, range.low_exclusive ? "above " : "", range.low ? Thousandths(*range.low) : "",
          range.high_exclusive ? "below " : "", range.high ? Thousandths(*range.high) : "");
      if (numbers) {
        ASSERT_EQ(*Matches(*numbers, text), contains) << context;
        ASSERT_EQ(*Matches(*numbers, text + (whole ? ".000" : "000")), contains && text != "-0") << context;
      } else {
        ASSERT_FALSE(contains) << context;
      }
      if (integers) {
        ASSERT_EQ(*Matches(*integers, text), contains && whole) << context;
      } else {
        ASSERT_FALSE(contains && whole) << context;
        impossible++;
      }
    }
  }
  EXPECT_GT(inside, 5000u);
  EXPECT_GT(impossible, 100u);
}

TEST(NumberRange, WritesNumbersAsJsonDoes) {
  const auto numbers = Compile({.low = NumberBound{Decimal::Of(-5.0)}, .high = NumberBound{Decimal::Of(5.0)}}, false);
  ASSERT_OK(numbers);
  for (const auto text : {"0", "5", "-5", "0.0", "4.25", "-0.5", "5.000"})
    EXPECT_TRUE(*Matches(*numbers, text)) << text;
  for (const auto text : {"", "-", "-0", "-0.0", "00", "01", "1.", ".5", "+1", "1e0", "5.1", "5.0001", "--1"}) {
    EXPECT_FALSE(*Matches(*numbers, text)) << text;
  }
}

TEST(NumberRange, KeepsNumbersApartThatDoublesKeepApart) {
  // 15 digits in all: the next number above the bound is another double.
  const auto numbers = Compile({.low = NumberBound{Decimal::Of(123.0), true}, .high = {}}, false);
  ASSERT_OK(numbers);
  EXPECT_TRUE(*Matches(*numbers, "123.000000000001"));
  EXPECT_FALSE(*Matches(*numbers, "123.0000000000001"));
  EXPECT_FALSE(*Matches(*numbers, "123.000000000000"));
  EXPECT_TRUE(*Matches(*numbers, "999999999999999"));
  EXPECT_FALSE(*Matches(*numbers, "1000000000000000"));
}

TEST(Decimal, IsTheShortestThatIsTheDouble) {
  const auto text = [](double value) {
    const Decimal decimal = Decimal::Of(value);
    return (decimal.negative ? "-" : "") + decimal.whole + "." + decimal.fraction;
  };
  EXPECT_EQ(text(0), "0.");
  EXPECT_EQ(text(1e20), "100000000000000000000.");
  EXPECT_EQ(text(-1.5), "-1.5");
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(1e-7), "0.0000001");
  EXPECT_EQ(text(123456.789), "123456.789");
  EXPECT_EQ(text(100), "100.");
  EXPECT_LT(Decimal::Of(-2.5), Decimal::Of(-2.25));
  EXPECT_LT(Decimal::Of(-1.0), Decimal::Of(0.5));
  EXPECT_LT(Decimal::Of(9.75), Decimal::Of(10.0));
  EXPECT_EQ(Decimal::Of(-0.0), Decimal::Of(int64_t{0}));
}

}  // namespace
}  // namespace bothy
