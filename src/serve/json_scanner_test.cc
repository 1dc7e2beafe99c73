#include "serve/json_scanner.h"

#include <gtest/gtest.h>

#include <string>

#include "codec/json.h"

namespace bothy::serve {
namespace {

using Outcome = JsonScanner::Outcome;

// How the text ends: after how many bytes, and as what.
std::pair<size_t, Outcome> Scan(std::string_view text) {
  JsonScanner scanner;
  for (size_t i = 0; i < text.size(); i++) {
    const Outcome outcome = scanner.Feed(text[i]);
    if (outcome == Outcome::kEnd) return {i + 1, outcome};
    if (outcome != Outcome::kMore) return {i, outcome};
  }
  return {text.size(), Outcome::kMore};
}

TEST(JsonScanner, AValueEndsWithItsLastByte) {
  for (const std::string text :
       {R"({"a": [1, -2.5e+3, true, null, {"b": "}\"\u00e9"}], "c": {}})", R"([])", R"("x")", "true", "[[],[0,1e5]]"}) {
    EXPECT_EQ(Scan(text + " more"), std::pair(text.size(), Outcome::kEnd)) << text;
  }
}

TEST(JsonScanner, ANumberEndsBeforeTheByteThatFollows) {
  EXPECT_EQ(Scan("-12.5,"), std::pair(size_t{5}, Outcome::kEndBefore));
  EXPECT_EQ(Scan("0]"), std::pair(size_t{1}, Outcome::kEndBefore));
}

TEST(JsonScanner, WhatTheParserRefusesIsBrokenOrUnfinished) {
  for (const std::string text :
       {"{'a': 1}", "{\"a\" 1}", "[1 2]", "[1,]", "{,}", "{\"a\":1,}", "tru ", "01 ", "[01]", "-x", "1.e5 ", "[}",
        "\"\\x\"", "\"\n\"", "[\"\\u12g4\"]", "nul", "]", "{\"a\":}", "[1e]"}) {
    ASSERT_FALSE(json::Parse(text, "test")) << text;
    const auto [taken, outcome] = Scan(text);
    const bool whole = outcome == Outcome::kEnd && taken == text.size();
    const bool number = outcome == Outcome::kEndBefore && taken + 1 == text.size();
    EXPECT_FALSE(whole || number) << text;
  }
}

// The parser is the judge: each document of small pieces that it takes is scanned to its end, and each that it does not
// take is not.
TEST(JsonScanner, AgreesWithTheParserOnAllShortTexts) {
  constexpr std::string_view kPieces[] = {"{", "}", "[", "]", ",", ":", "\"a\"", "1", "-", ".5", "null", " "};
  constexpr size_t kCount = std::size(kPieces);
  size_t taken = 0;
  for (size_t code = 0; code < kCount * kCount * kCount * kCount * kCount; code++) {
    std::string text;
    size_t rest = code;
    for (size_t i = 0; i < 5; i++, rest /= kCount) text += kPieces[rest % kCount];
    const bool parsed = json::Parse(text, "test").has_value();
    // A blank behind it ends a number.
    JsonScanner scanner;
    bool ended = false, broken = false;
    for (const char c : text + " ") {
      if (ended) {
        broken = broken || c != ' ';
        continue;
      }
      const Outcome outcome = scanner.Feed(c);
      broken = broken || outcome == Outcome::kBroken || (outcome == Outcome::kEndBefore && c != ' ');
      ended = outcome == Outcome::kEnd || outcome == Outcome::kEndBefore;
      if (broken) break;
    }
    ASSERT_EQ(ended && !broken, parsed) << text;
    taken += parsed ? 1 : 0;
  }
  EXPECT_EQ(taken, 157);  // the parser's count, so that something was compared
}

TEST(JsonScanner, DeepNestingIsRefusedOnePastTheLimit) {
  EXPECT_EQ(Scan(std::string(json::kMaxDepth, '[')).second, Outcome::kMore);
  EXPECT_EQ(Scan(std::string(json::kMaxDepth + 1, '[')).second, Outcome::kBroken);
}

}  // namespace
}  // namespace bothy::serve
