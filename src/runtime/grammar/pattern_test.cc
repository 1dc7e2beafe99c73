#include "runtime/grammar/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <regex>

#include "runtime/grammar/string_set.h"
#include "runtime/grammar/testing.h"

namespace bothy {
namespace {

using testing::HasSubstr;

Result<bool> MatchesPattern(std::string_view pattern, PatternUse use, std::string_view text) {
  const Pattern parsed = TRY(ParsePattern(pattern, use));
  Grammar grammar;
  const auto write = [&](const CodePointSet& characters) { return grammar.Class(characters); };
  grammar.SetRoot(grammar.Add("root", WritePattern(parsed, grammar, write)));
  return Matches(TRY(GrammarProgram::Compile(grammar)), text);
}

bool Finds(std::string_view pattern, std::string_view text) {
  const auto matches = MatchesPattern(pattern, PatternUse::kSearch, text);
  EXPECT_OK(matches);
  return matches && *matches;
}

std::string ErrorOf(std::string_view pattern) {
  const auto parsed = ParsePattern(pattern, PatternUse::kSearch);
  return parsed ? "none" : parsed.error().message;
}

TEST(Pattern, LooksForAMatchAnywhereUnlessAnchored) {
  EXPECT_TRUE(Finds("b", "abc"));
  EXPECT_TRUE(Finds("", ""));
  EXPECT_TRUE(Finds("", "any\nthing"));
  EXPECT_FALSE(Finds("^b", "abc"));
  EXPECT_TRUE(Finds("^a", "abc"));
  EXPECT_FALSE(Finds("b$", "abc"));
  EXPECT_TRUE(Finds("c$", "abc"));
  EXPECT_FALSE(Finds("^ab$", "abc"));
  EXPECT_TRUE(Finds("^a|c$", "xc"));
  EXPECT_TRUE(Finds("^a|c$", "ax"));
  EXPECT_FALSE(Finds("^a|c$", "xax"));
  EXPECT_TRUE(Finds("^(?:ab|cd)$", "cd"));
  EXPECT_FALSE(Finds("^(?:ab|cd)$", "cdx"));
  EXPECT_TRUE(Finds("(^a$)|(?:^b)", "bx"));
  EXPECT_FALSE(Finds("(^a$)|(?:^b)", "ax"));
  EXPECT_TRUE(Finds("^$", ""));
  EXPECT_FALSE(Finds("^$", "x"));
}

TEST(Pattern, KnowsClassesEscapesAndCounts) {
  EXPECT_TRUE(Finds("^\\d{3}-[a-f\\d]+$", "123-1f"));
  EXPECT_TRUE(Finds("^\\w\\W\\s\\S\\D$", "_- xx"));
  EXPECT_TRUE(Finds("^[\\w.-]+@[^@\\s]+$", "a.b-c@d"));
  EXPECT_TRUE(Finds("^[]$|^[^]$", "x"));
  EXPECT_TRUE(Finds("^\\u00e9\\x41\\u{1F600}\\uD83D\\uDE00\\cJ\\t$",
                    "\xC3\xA9"
                    "A\xF0\x9F\x98\x80\xF0\x9F\x98\x80\n\t"));
  EXPECT_TRUE(Finds("^\\/\\.\\*\\[\\]\\(\\)\\{\\}\\+\\?\\^\\$\\|\\\\\\-$", "/.*[](){}+?^$|\\-"));
  EXPECT_TRUE(Finds("^a{2}b{1,}c{0,2}$", "aabbcc"));
  EXPECT_FALSE(Finds("^a{2}b{1,}c{0,2}$", "aabccc"));
  EXPECT_TRUE(Finds("^a{b{1$", "a{b{1"));
  EXPECT_TRUE(Finds("^(?<year>[0-9]{4})?-a+?b??$", "-aa"));
  EXPECT_TRUE(Finds("^.$", "é"));
  EXPECT_FALSE(Finds("^.$", "\n"));
  EXPECT_TRUE(Finds("^[a-]$", "-"));
  EXPECT_TRUE(Finds("^[\\b]$", "\b"));
  EXPECT_TRUE(Finds("^(a|)$", ""));
  EXPECT_TRUE(Finds("^(?:a*)*$", "aaa"));
}

TEST(Pattern, RefusesByNameWhatNoAutomatonFollows) {
  EXPECT_THAT(ErrorOf("(?=a)"), HasSubstr("looks ahead"));
  EXPECT_THAT(ErrorOf("x(?!a)"), HasSubstr("looks ahead"));
  EXPECT_THAT(ErrorOf("(?<=a)b"), HasSubstr("looks behind"));
  EXPECT_THAT(ErrorOf("(?<!a)b"), HasSubstr("looks behind"));
  EXPECT_THAT(ErrorOf("(a)\\1"), HasSubstr("refers back"));
  EXPECT_THAT(ErrorOf("(?<n>a)\\k<n>"), HasSubstr("refers back"));
  EXPECT_THAT(ErrorOf("\\bword"), HasSubstr("\\b"));
  EXPECT_THAT(ErrorOf("\\Bword"), HasSubstr("\\B"));
  EXPECT_THAT(ErrorOf("\\p{L}"), HasSubstr("property"));
  EXPECT_THAT(ErrorOf("a^b"), HasSubstr("\"^\""));
  EXPECT_THAT(ErrorOf("a$b"), HasSubstr("\"$\""));
  EXPECT_THAT(ErrorOf("x(^a)"), HasSubstr("\"^\""));
  EXPECT_THAT(ErrorOf("(?i)a"), HasSubstr("a kind that is not supported"));
}

TEST(Pattern, RefusesWhatIsNoPattern) {
  for (const auto pattern :
       {"(",      ")",      "(a",  "a)",   "[a",    "*a",      "a**",         "a{1}{2}", "\\",      "[b-a]",
        "[\\d-z", "a{2,1}", "\\q", "\\x4", "\\u12", "\\ud800", "\\u{110000}", "(?<n",    "[a-\\d]", "\xFF"}) {
    EXPECT_THAT(ErrorOf(pattern), HasSubstr("the pattern")) << pattern;
  }
}

TEST(Pattern, HasLimits) {
  const auto nested = [](size_t depth) { return std::string(depth, '(') + "a" + std::string(depth, ')'); };
  EXPECT_EQ(ErrorOf("x" + nested(kMaxPatternDepth)), "none");
  EXPECT_THAT(ErrorOf("x" + nested(kMaxPatternDepth + 1)), HasSubstr("too many groups"));
  EXPECT_EQ(ErrorOf(std::string(kMaxPatternBytes, 'a')), "none");
  EXPECT_THAT(ErrorOf(std::string(kMaxPatternBytes + 1, 'a')), HasSubstr("at most 65536"));
}

TEST(Pattern, KnowsHowLongItsMatchesAre) {
  const auto length = [](std::string_view pattern, PatternUse use = PatternUse::kWhole) {
    const PatternLength of = LengthOf(*ParsePattern(pattern, use));
    return std::pair(of.min, of.max);
  };
  EXPECT_EQ(length("a{2,5}(b|cde)?"), std::pair(2ul, 8ul));
  EXPECT_EQ(length("(a|bc)*d"), std::pair(uint64_t{1}, kUnboundedLength));
  EXPECT_EQ(length("(a{1000}){1000}"), std::pair(1000000ul, 1000000ul));
  EXPECT_EQ(length("(()*)*"), std::pair(0ul, 0ul));
  EXPECT_EQ(length("abc", PatternUse::kSearch), std::pair(uint64_t{3}, kUnboundedLength));
  EXPECT_EQ(length("^abc$", PatternUse::kSearch), std::pair(3ul, 3ul));
}

std::string RandomPattern(std::minstd_rand& random, int depth) {
  const auto choose = [&](uint32_t n) { return static_cast<uint32_t>(random() >> 8) % n; };
  std::string pattern;
  const uint32_t parts = 1 + choose(3);
  for (uint32_t i = 0; i < parts; i++) {
    switch (choose(depth > 0 ? 7 : 5)) {
      case 0: pattern += "a"; break;
      case 1: pattern += "[ab]"; break;
      case 2: pattern += "[^a]"; break;
      case 3: pattern += "\\d"; break;
      case 4: pattern += "."; break;
      default:
        pattern += "(?:" + RandomPattern(random, depth - 1) + "|" + RandomPattern(random, depth - 1) + ")";
        break;
    }
    const std::vector<std::string> quantifiers = {"", "", "", "?", "*", "+", "{2}", "{1,2}", "{1,}", "*?"};
    pattern += quantifiers[choose(static_cast<uint32_t>(quantifiers.size()))];
  }
  return pattern;
}

std::string RandomWord(std::minstd_rand& random) {
  std::string word;
  for (size_t length = (random() >> 8) % 7; length > 0; length--) word += "ab1-"[(random() >> 8) % 4];
  return word;
}

// The standard library's expressions are ECMA-262's as well.
TEST(Pattern, MatchesWhatTheStandardLibraryMatches) {
  std::minstd_rand random(3);
  size_t matched = 0, large = 0;
  for (int i = 0; i < 400; i++) {
    std::string pattern = RandomPattern(random, 2);
    if ((random() >> 8) % 3 == 0) pattern = "^" + pattern;
    if ((random() >> 8) % 3 == 0) pattern += "$";
    const std::regex reference(pattern);
    const auto set = StringSet::Of(*ParsePattern(pattern, PatternUse::kSearch));
    if (!set) large++;  // so many choices that the automaton is not made
    for (int j = 0; j < 20; j++) {
      const std::string word = RandomWord(random);
      const bool expected = std::regex_search(word, reference);
      matched += expected ? 1 : 0;
      ASSERT_EQ(Finds(pattern, word), expected) << pattern << " in " << word;
      if (set) {
        ASSERT_EQ(set->Contains(word), expected) << pattern << " in " << word;
      }
    }
  }
  EXPECT_GT(matched, 1000u);
  EXPECT_LT(large, 10u);
}

TEST(StringSet, CombinesSets) {
  std::minstd_rand random(4);
  for (int i = 0; i < 200; i++) {
    const auto one = StringSet::Of(*ParsePattern(RandomPattern(random, 1), PatternUse::kWhole));
    const auto other = StringSet::Of(*ParsePattern(RandomPattern(random, 1), PatternUse::kWhole));
    const uint64_t min = (random() >> 8) % 4, max = min + (random() >> 8) % 3;
    const auto length = StringSet::OfLength(min, i % 5 == 0 ? kUnboundedLength : max);
    ASSERT_OK(one);
    ASSERT_OK(other);
    ASSERT_OK(length);
    const auto both = one->And(*other), difference = one->Without(*other), of_length = one->And(*length);
    ASSERT_OK(both);
    ASSERT_OK(difference);
    ASSERT_OK(of_length);
    for (int j = 0; j < 30; j++) {
      const std::string word = RandomWord(random);
      ASSERT_EQ(both->Contains(word), one->Contains(word) && other->Contains(word));
      ASSERT_EQ(difference->Contains(word), one->Contains(word) && !other->Contains(word));
      const bool fits = word.size() >= min && (i % 5 == 0 || word.size() <= max);
      ASSERT_EQ(of_length->Contains(word), one->Contains(word) && fits);
    }
    EXPECT_TRUE(one->Without(*one)->empty());
  }
}

TEST(StringSet, BecomesRulesThatTakeItsStrings) {
  const auto names = StringSet::All().Without(*StringSet::Of(std::vector<std::string>{"a", "ab", "é", ""}));
  ASSERT_OK(names);
  Grammar grammar;
  grammar.SetRoot(names->WriteTo(grammar, [&](const CodePointSet& c) { return grammar.Class(c); }));
  const auto program = GrammarProgram::Compile(grammar);
  ASSERT_OK(program);
  for (const auto& [text, takes] : std::vector<std::pair<std::string, bool>>{{"a", false},
                                                                             {"ab", false},
                                                                             {"é", false},
                                                                             {"", false},
                                                                             {"b", true},
                                                                             {"abc", true},
                                                                             {"éé", true},
                                                                             {"è", true}}) {
    EXPECT_EQ(*Matches(*program, text), takes) << text;
    EXPECT_EQ(names->Contains(text), takes) << text;
  }
}

TEST(StringSet, HasALimitOnStates) {
  EXPECT_OK(StringSet::OfLength(0, StringSet::kMaxStates));
  EXPECT_EQ(StringSet::OfLength(0, StringSet::kMaxStates + 1).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(StringSet::Of(*ParsePattern("(a{1000}){1000}", PatternUse::kWhole)).error().code,
            ErrorCode::kResourceExhausted);
  // The states of this one double with each character.
  EXPECT_EQ(StringSet::Of(*ParsePattern("(a|b)*a(a|b){20}", PatternUse::kWhole)).error().code,
            ErrorCode::kResourceExhausted);
  // So does what takes long although its states are few.
  EXPECT_OK(StringSet::Of(*ParsePattern("(?:a?){1000}", PatternUse::kWhole)));
  EXPECT_EQ(StringSet::Of(*ParsePattern("(?:a?){3000}", PatternUse::kWhole)).error().code,
            ErrorCode::kResourceExhausted);
  EXPECT_OK(StringSet::Of(*ParsePattern("(()){4000000000}", PatternUse::kWhole)));
}

TEST(PatternGrammar, MatchesTheWholeText) {
  const auto grammar = PatternGrammar("(yes|no)!{0,2}");
  ASSERT_OK(grammar);
  const auto program = GrammarProgram::Compile(*grammar);
  ASSERT_OK(program);
  EXPECT_TRUE(*Matches(*program, "yes!!"));
  EXPECT_FALSE(*Matches(*program, "yes!!!"));
  EXPECT_FALSE(*Matches(*program, "oh yes"));
}

}  // namespace
}  // namespace bothy
