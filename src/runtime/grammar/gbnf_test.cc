#include "runtime/grammar/gbnf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/grammar/testing.h"

namespace bothy {
namespace {

using testing::HasSubstr;

std::string ErrorOf(std::string_view gbnf) {
  const auto program = CompileGbnf(gbnf);
  if (program) return "none";
  EXPECT_TRUE(program.error().code == ErrorCode::kInvalidArgument ||
              program.error().code == ErrorCode::kResourceExhausted);
  return program.error().message;
}

// For each grammar, texts that it takes and texts that it does not.
struct Example {
  std::string_view gbnf;
  std::vector<std::string_view> takes, refuses;
};

void Expect(const Example& example) {
  for (const auto text : example.takes) EXPECT_TRUE(Takes(example.gbnf, text)) << example.gbnf << "\ntext: " << text;
  for (const auto text : example.refuses) EXPECT_FALSE(Takes(example.gbnf, text)) << example.gbnf << "\ntext: " << text;
}

TEST(Gbnf, ReadsLiteralsChoicesAndReferences) {
  Expect({"root ::= \"yes\" | \"no\" | other\nother ::= \"perhaps\" \"!\"",
          {"yes", "no", "perhaps!"},
          {"", "ye", "perhaps", "yesno", "yes!"}});
}

TEST(Gbnf, ReadsClassesAsCharacters) {
  Expect({"root ::= [a-c_] [^a-z\\n] [äö\\u4E2D-\\u4E2F]",
          {"aBä", "_1ö", "c中中", "b.丮"},
          {"dBä", "abä", "a\nä", "aBü", "aB"}});
  Expect({"root ::= [a\\-z] [-a] [a-]", {"a-a", "zaa", "-a-", "---"}, {"baa", "aba", "aab"}});
  Expect({"root ::= [\\]\\[\\\\] [\"] .", {"]\"x", "[\"\n", "\\\"\U0001F600"}, {"x\"x", "]x\"", "]\""}});
}

TEST(Gbnf, ReadsEscapes) {
  Expect({R"(root ::= "\x41\n\t\r\\\"\[\]\u00e9\U0001F600")", {"A\n\t\r\\\"[]\xC3\xA9\xF0\x9F\x98\x80"}, {"A"}});
  // \x names a character, as in llama.cpp, not a byte.
  Expect({R"(root ::= [\x80-\xFF])", {"\xC3\xA9"}, {"\xE9", "a"}});
}

TEST(Gbnf, ReadsRepetitions) {
  Expect({"root ::= \"a\"* \"b\"+ \"c\"?", {"b", "aaab", "abbc", "bc"}, {"", "a", "ac", "bcc"}});
  Expect({"root ::= \"ab\"{2}", {"abab"}, {"ab", "ababab"}});
  Expect({"root ::= \"ab\"{2,}", {"abab", "abababab"}, {"", "ab"}});
  Expect({"root ::= \"ab\"{1,3} \"a\"", {"aba", "abababa"}, {"a", "ababababa"}});
  Expect({"root ::= \"ab\"{0,1} \"c\"{ 0 } [x]{ 1 , 2 }", {"abx", "xx"}, {"", "cx", "ababx", "xxx"}});
  Expect({"root ::= (\"a\"?){3} \"b\"", {"b", "ab", "aaab"}, {"aaaab", ""}});
  Expect({"root ::= (\"a\"*)* (\"b\"?)+", {"", "a", "aaabb", "bb"}, {"ba", "c"}});
}

TEST(Gbnf, CountsInsteadOfCopying) {
  const std::string thousand(100'000, 'a');
  Expect({"root ::= [a-z]{100000}", {thousand}, {thousand + "a", thousand.substr(1)}});
  Expect(
      {"root ::= [a-z]{0,4000000000} (\"!\" | \"?\"){3,3000000000}", {"abc!?!", thousand + "!!!!"}, {"abc!!", "!a"}});
  // Ambiguous: every text can be read in many ways, with as many counts.
  Expect({"root ::= (\"a\" | \"aa\"){3,5}", {"aaa", std::string(10, 'a')}, {"aa", std::string(11, 'a')}});
}

TEST(Gbnf, EndsARuleWithItsLineButInParentheses) {
  Expect({"# before\nroot ::= (\n  \"a\" |\n  \"b\" # inside\n  item\n) item\r\n\n item ::=\n \"x\" |\n \"y\"\n# after",
          {"ax", "bxy", "byy"},
          {"a", "by", "axx"}});
  EXPECT_THAT(ErrorOf("root ::= \"a\"\n\"b\""), HasSubstr("line 2: expected the name of a rule"));
}

TEST(Gbnf, TakesEmptyRulesAndAlternatives) {
  Expect({"root ::= \"a\" | ", {"", "a"}, {"aa"}});
  Expect({"root ::= | \"b\" |\n  \"a\" next |\nnext ::= # nothing\n\n", {"", "a", "b"}, {"ab"}});
  Expect({"root ::= nothing \"a\" nothing\nnothing ::=", {"a"}, {""}});
  Expect({"root ::= a a\na ::= b | \"x\"\nb ::= \"\"", {"", "x", "xx"}, {"xxx"}});
}

TEST(Gbnf, Recurses) {
  Expect({"root ::= \"(\" root \")\" root | \"\"", {"", "()", "(()())()"}, {"(", ")", "(()", "())"}});
  Expect({"root ::= expr\nexpr ::= term ((\"+\" | \"-\") term)*\nterm ::= [0-9]+ | \"(\" expr \")\"",
          {"1", "1+2-(3+44)", "((7))"},
          {"", "1+", "(1", "1+)"}});
  // What ends with itself grows no stack.
  Expect({"root ::= \"a\" root | \"b\"", {"b", std::string(50'000, 'a') + "b"}, {"a"}});
  // Palindromes of even length: no reading can tell where the middle is.
  Expect({"root ::= \"a\" root \"a\" | \"b\" root \"b\" | \"\"", {"abba", std::string(400, 'a')}, {"ab", "aba"}});
}

TEST(Gbnf, MixesReadingsOfTheSamePlace) {
  // The rule after the bracket is called from two rules that differ only after it; both must stay open.
  Expect({"root ::= a | b\na ::= \"[\" root \"]\" | \"x\"\nb ::= \"[\" root \"}\" | \"y\"",
          {"x", "[x]", "[y}", "[[x}]", "[[[y]}]"},
          {"[", "[x", "]", "[x]]"}});
}

TEST(Gbnf, RefusesWhatItCannotRead) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("no rule \"root\""));
  EXPECT_THAT(ErrorOf("main ::= \"a\""), HasSubstr("no rule \"root\""));
  EXPECT_THAT(ErrorOf("root := \"a\""), HasSubstr("line 1: expected \"::=\", found \":= \"a\"\""));
  EXPECT_THAT(ErrorOf("root ::= \"a"), HasSubstr("end of the literal"));
  EXPECT_THAT(ErrorOf("root ::= [a"), HasSubstr("end of the class"));
  EXPECT_THAT(ErrorOf("root ::= [b-a]"), HasSubstr("a range"));
  EXPECT_THAT(ErrorOf("root ::= (\"a\""), HasSubstr("\")\""));
  EXPECT_THAT(ErrorOf("root ::= \"a\")"), HasSubstr("its end"));
  EXPECT_THAT(ErrorOf("root ::= \"\\q\""), HasSubstr("escapes"));
  EXPECT_THAT(ErrorOf("root ::= \"\\x4g\""), HasSubstr("2 hexadecimal digits"));
  EXPECT_THAT(ErrorOf("root ::= \"\\uD800\""), HasSubstr("number of a character"));
  EXPECT_THAT(ErrorOf("root ::= \"\\U00110000\""), HasSubstr("number of a character"));
  EXPECT_THAT(ErrorOf("root ::= \"a\"{2,1}"), HasSubstr("a repetition"));
  EXPECT_THAT(ErrorOf("root ::= \"a\"{4294967295}"), HasSubstr("a count below"));
  EXPECT_THAT(ErrorOf("root ::= \"a\"{,2}"), HasSubstr("a count"));
  EXPECT_THAT(ErrorOf("root ::= other\n\nroot ::= \"a\""), HasSubstr("line 3: expected one definition of \"root\""));
  EXPECT_THAT(ErrorOf("root ::= \"a\"\nb ::= missing | missing"), HasSubstr("line 2: expected a rule \"missing\""));
  EXPECT_THAT(ErrorOf("root ::= a b ::= \"a\""), HasSubstr("its end, found \"::="));
  EXPECT_THAT(ErrorOf("root ::= (\"a\"\nb ::= \"b\")"), HasSubstr("expected \")\""));
  EXPECT_THAT(ErrorOf("root ::= <think>"), HasSubstr("tokens in grammars"));
  EXPECT_THAT(ErrorOf("root ::= \"\xFF\""), HasSubstr("UTF-8"));
}

TEST(Gbnf, RefusesRulesThatBeginWithThemselves) {
  EXPECT_THAT(ErrorOf("root ::= root \"a\" | \"b\""), HasSubstr("\"root\" refers to itself"));
  EXPECT_THAT(ErrorOf("root ::= \"x\" a\na ::= b \"a\" | \"b\"\nb ::= c\nc ::= a | \"c\""),
              HasSubstr("left recursion"));
  EXPECT_THAT(ErrorOf("root ::= empty root \"a\" | \"b\"\nempty ::= \"e\"?"), HasSubstr("left recursion"));
  EXPECT_THAT(ErrorOf("root ::= (root | \"a\"){2}"), HasSubstr("left recursion"));
  EXPECT_THAT(ErrorOf("root ::= \"a\" root? | \"b\""), "none");
}

TEST(Gbnf, RefusesGrammarsThatNoTextCanFollow) {
  EXPECT_THAT(ErrorOf("root ::= \"a\" root"), HasSubstr("no text can follow the grammar"));
  EXPECT_THAT(ErrorOf("root ::= [^\\x00-\\U0010FFFF]"), HasSubstr("no text can follow the grammar"));
  EXPECT_THAT(ErrorOf("root ::= \"a\" b\nb ::= \"b\" c\nc ::= \"c\" b"), HasSubstr("no text can follow"));
  // An alternative that leads nowhere is not offered.
  Expect({"root ::= \"ab\" | \"ac\" dead\ndead ::= \"d\" dead", {"ab"}, {"ac", "acd"}});
  Expect({"root ::= \"a\" dead{0,3} \"b\" dead*\ndead ::= \"d\" dead", {"ab"}, {"adb", "abd"}});
}

TEST(Gbnf, HasLimitsOnSizeAndDepth) {
  const auto nested = [](size_t depth) {
    return "root ::= " + std::string(depth, '(') + "\"a\"" + std::string(depth, ')');
  };
  EXPECT_THAT(ErrorOf(nested(kMaxGbnfDepth)), "none");
  EXPECT_THAT(ErrorOf(nested(kMaxGbnfDepth + 1)), HasSubstr("more than 200 parentheses"));
  const auto sized = [](size_t size) { return "root ::= \"a\" #" + std::string(size - 14, '.'); };
  EXPECT_THAT(ErrorOf(sized(kMaxGbnfBytes)), "none");
  EXPECT_THAT(ErrorOf(sized(kMaxGbnfBytes + 1)), HasSubstr("at most 1048576 are read"));
  EXPECT_THAT(ErrorOf("root ::= \"a\"" + std::string(2000, '*')), HasSubstr("too large"));
  std::string rules = "root ::= \"a\"";
  for (size_t i = 0; i < Grammar::kMaxRules; i++) rules += fmt::format("\nr{}::=", i);
  EXPECT_THAT(ErrorOf(rules), HasSubstr("too large"));
}

}  // namespace
}  // namespace bothy
