#include "runtime/grammar/grammar_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "runtime/grammar/testing.h"
#include "runtime/grammar/token_mask.h"

namespace bothy {
namespace {

// Where readings of a part that begin at a place of the text can end: the definition of a grammar, word for word.
class Reader {
 public:
  Reader(const Grammar& grammar, std::string_view text) : grammar_(grammar), text_(text) {}

  bool TakesAll() {
    // Rounds until nothing new is found, for rules may need each other.
    for (bool grows = true; grows;) {
      const auto before = rules_;
      EndsOfRule(grammar_.root(), 0);
      for (const auto& [key, ends] : before) {
        rules_[key] = Ends(grammar_.body(key.first), key.second);
      }
      grows = rules_ != before;
    }
    return rules_[{grammar_.root(), 0}].contains(text_.size());
  }

 private:
  using Places = std::set<size_t>;

  Places EndsOfRule(Grammar::Rule rule, size_t begin) { return rules_[{rule, begin}]; }

  Places Ends(Grammar::Node node, size_t begin) {
    const Grammar::Part& part = grammar_.part(node);
    Places ends;
    switch (part.kind) {
      case Grammar::Kind::kLiteral:
        if (text_.substr(begin).starts_with(grammar_.bytes(part))) ends.insert(begin + part.size);
        break;
      case Grammar::Kind::kClass:  // of letters only, in these tests
        for (const auto& [first, last] : grammar_.ranges(part)) {
          if (begin < text_.size() && first <= char32_t(text_[begin]) && char32_t(text_[begin]) <= last) {
            ends.insert(begin + 1);
          }
        }
        break;
      case Grammar::Kind::kSequence:
        ends = {begin};
        for (const Grammar::Node child : grammar_.children(part)) ends = EndsOfAll(child, ends);
        break;
      case Grammar::Kind::kChoice:
        for (const Grammar::Node child : grammar_.children(part)) ends.merge(Ends(child, begin));
        break;
      case Grammar::Kind::kRepeat: {
        Places last = {begin};
        const uint32_t rounds = std::min<uint32_t>(part.max, part.min + static_cast<uint32_t>(text_.size()) + 1);
        if (part.min == 0) ends = last;
        for (uint32_t i = 1; i <= rounds; i++) {
          last = EndsOfAll(static_cast<Grammar::Node>(part.target), last);
          if (i >= part.min) ends.insert(last.begin(), last.end());
        }
        break;
      }
      case Grammar::Kind::kReference: ends = EndsOfRule(static_cast<Grammar::Rule>(part.target), begin); break;
    }
    return ends;
  }

  Places EndsOfAll(Grammar::Node node, const Places& begins) {
    Places ends;
    for (const size_t begin : begins) ends.merge(Ends(node, begin));
    return ends;
  }

  const Grammar& grammar_;
  std::string_view text_;
  std::map<std::pair<Grammar::Rule, size_t>, Places> rules_;
};

// All texts of up to `length` letters of the alphabet that the grammar takes.
std::set<std::string> AllTexts(const Grammar& grammar, std::string_view alphabet, size_t length) {
  std::set<std::string> taken;
  std::vector<std::string> texts = {""};
  for (size_t i = 0; i < texts.size(); i++) {
    const std::string text = texts[i];
    if (Reader(grammar, text).TakesAll()) taken.insert(text);
    if (text.size() == length) continue;
    for (const char letter : alphabet) texts.push_back(text + letter);
  }
  return taken;
}

// Goes through all texts that tokens can write, and compares each mask with the texts that begin so.
void ExpectMasksAreExact(std::string_view gbnf, const std::vector<std::string>& tokens, std::string_view alphabet,
                         size_t length, size_t completion) {
  SCOPED_TRACE(gbnf);
  const auto grammar = ParseGbnf(gbnf);
  ASSERT_OK(grammar);
  const auto compiled = CompiledGrammar::Create(*grammar, MakeVocabulary(tokens));
  ASSERT_OK(compiled);
  const std::set<std::string> texts = AllTexts(*grammar, alphabet, length);
  const auto some_text_begins_with = [&](const std::string& prefix) {
    const auto found = texts.lower_bound(prefix);
    return found != texts.end() && found->starts_with(prefix);
  };
  std::vector<std::pair<std::string, GrammarState>> open = {{"", GrammarState(*compiled)}};
  size_t looked_at = 0;
  while (!open.empty()) {
    auto [text, state] = open.back();
    open.pop_back();
    const auto mask = state.Mask();
    ASSERT_OK(mask);
    const std::set<TokenId> allowed = TokensOf(*mask);
    for (size_t i = 0; i < tokens.size(); i++) {
      const auto token = static_cast<TokenId>(i);
      const std::string next = text + tokens[i];
      if (next.size() + completion > length) continue;
      looked_at++;
      ASSERT_EQ(allowed.contains(token), !tokens[i].empty() && some_text_begins_with(next)) << "\"" << next << "\"";
      GrammarState after = state;
      ASSERT_EQ(after.Accept(token).has_value(), allowed.contains(token)) << "\"" << next << "\"";
      if (allowed.contains(token)) open.emplace_back(next, after);
    }
    ASSERT_EQ(allowed.contains(static_cast<TokenId>(tokens.size())), texts.contains(text)) << "\"" << text << "\"";
    ASSERT_EQ(state.CanEnd(), texts.contains(text));
  }
  EXPECT_GT(looked_at, tokens.size());
}

TEST(GrammarMasks, AreExactlyTheTokensThatSomeTextGoesOnWith) {
  const std::vector<std::string> tokens = {"a", "b", "c", "ab", "ba", "aa", "bb", "abc", "ca", "bab", "aabb", "", "a"};
  // The last number: the most letters that a text that was begun needs to be complete.
  ExpectMasksAreExact("root ::= \"a\"* \"b\"", tokens, "abc", 7, 1);
  ExpectMasksAreExact("root ::= \"a\" root \"b\" | \"c\"?", tokens, "abc", 8, 4);
  ExpectMasksAreExact("root ::= (\"a\" | \"ab\" | \"b\"){2,4}", tokens, "abc", 8, 2);
  ExpectMasksAreExact("root ::= x y\nx ::= \"a\" x | \"\"\ny ::= x \"b\" y | \"\"", tokens, "abc", 7, 1);
  ExpectMasksAreExact("root ::= \"a\" root \"a\" | \"b\" root \"b\" | \"c\"?", tokens, "abc", 8, 4);
  ExpectMasksAreExact("root ::= p | q\np ::= \"a\" root \"b\" | \"c\"\nq ::= \"a\" root \"c\" | \"b\"", tokens, "abc",
                      8, 5);
  ExpectMasksAreExact("root ::= ([ab]{2} \"c\"?){1,2} \"c\" | \"cab\" root{0,2}", tokens, "abc", 8, 3);
  ExpectMasksAreExact("root ::= s s\ns ::= \"a\" s? \"b\"? | t\nt ::= \"b\"", tokens, "abc", 7, 2);
}

// A grammar over a, b, c that may be anything.
std::string RandomGbnf(std::minstd_rand& random) {
  const auto choose = [&](uint32_t n) { return static_cast<uint32_t>(random() >> 8) % n; };
  const std::vector<std::string> rules = {"root", "x", "y"};
  std::string text;
  for (const std::string& rule : rules) {
    text += rule + " ::=";
    const uint32_t alternatives = 1 + choose(3);
    for (uint32_t i = 0; i < alternatives; i++) {
      if (i > 0) text += " |";
      const uint32_t parts = choose(4);
      for (uint32_t j = 0; j < parts; j++) {
        switch (choose(5)) {
          case 0: text += " \"a\""; break;
          case 1: text += " \"bc\""; break;
          case 2: text += " [a-b]"; break;
          default: text += " " + rules[choose(3)]; break;
        }
        const std::vector<std::string> repetitions = {"", "", "", "", "?", "*", "+", "{2}", "{0,2}", "{1,3}", "{2,}"};
        text += repetitions[choose(static_cast<uint32_t>(repetitions.size()))];
      }
    }
    text += "\n";
  }
  return text;
}

TEST(GrammarStates, TakeTheTextsThatTheGrammarDefines) {
  std::minstd_rand random(7);
  size_t usable = 0, taken = 0;
  for (int i = 0; i < 600; i++) {
    const std::string gbnf = RandomGbnf(random);
    const auto grammar = ParseGbnf(gbnf);
    ASSERT_OK(grammar);
    const auto program = GrammarProgram::Compile(*grammar);
    if (!program) continue;
    usable++;
    GrammarStates states(*program, 0, size_t{1} << 24);
    std::vector<std::pair<std::string, GrammarStates::Set>> texts = {{"", states.start()}};
    for (size_t t = 0; t < texts.size(); t++) {
      const auto [text, state] = texts[t];
      const bool takes = Reader(*grammar, text).TakesAll();
      taken += takes ? 1 : 0;
      ASSERT_EQ(states.Accepts(state), takes) << gbnf << "text: " << text;
      if (text.size() == 4) continue;
      for (const char letter : {'a', 'b', 'c'}) {
        texts.emplace_back(text + letter, states.Step(state, static_cast<uint8_t>(letter)));
      }
    }
    ASSERT_FALSE(states.failed());
  }
  EXPECT_GT(usable, 150u);
  EXPECT_GT(taken, 1000u);
}

// The same grammar and text on both; where one has little memory it forgets all the time.
TEST(GrammarState, LosesNothingWhenItForgets) {
  std::vector<std::string> tokens;
  for (int c = 32; c < 127; c++) tokens.emplace_back(1, static_cast<char>(c));
  for (const char* token : {"\":\"", "{\"", "\"}", "\",\"", "ab", "abc", "}}", "{\"a\":{\""})
    tokens.emplace_back(token);
  const auto vocabulary = MakeVocabulary(tokens);
  const auto grammar = ParseGbnf(
      "root ::= \"{\" (pair (\",\" pair){0,3})? \"}\"\npair ::= \"\\\"\" [a-z]{1,40} \"\\\":\" value\n"
      "value ::= root | \"\\\"\" [^\"\\\\]{0,60} \"\\\"\"");
  ASSERT_OK(grammar);
  const auto large = CompiledGrammar::Create(*grammar, vocabulary);
  const auto small = CompiledGrammar::Create(*grammar, vocabulary, 1 << 17);
  ASSERT_OK(large);
  ASSERT_OK(small);
  std::minstd_rand random(1);
  for (int i = 0; i < 20; i++) {
    GrammarState one(*large), other(*small);
    for (int t = 0; t < 400 && !one.finished(); t++) {
      const auto expected = one.Mask(), found = other.Mask();
      ASSERT_OK(expected);
      ASSERT_OK(found);
      ASSERT_EQ(TokensOf(*expected), TokensOf(*found));
      const std::set<TokenId> allowed = TokensOf(*expected);
      const TokenId token = *std::next(allowed.begin(), static_cast<int>(random() % allowed.size()));
      ASSERT_OK(one.Accept(token));
      ASSERT_OK(other.Accept(token));
    }
  }
  EXPECT_GT((*small)->counts().computed_masks, (*large)->counts().computed_masks);
}

TEST(GrammarState, IsACopyToComeBackTo) {
  const auto compiled = CompiledGrammar::Create(*ParseGbnf("root ::= \"a\"{3} | \"ab\""), MakeVocabulary({"a", "b"}));
  ASSERT_OK(compiled);
  GrammarState state(*compiled);
  ASSERT_OK(state.Accept(0));
  const GrammarState place = state;
  ASSERT_OK(state.Accept(0));
  EXPECT_FALSE(state.Accept(1).has_value());
  ASSERT_OK(state.Accept(0));
  EXPECT_TRUE(state.CanEnd());
  state = place;
  EXPECT_FALSE(state.CanEnd());
  ASSERT_OK(state.Accept(1));
  EXPECT_EQ(TokensOf(*state.Mask()), std::set<TokenId>{2});
  ASSERT_OK(state.Accept(2));
  EXPECT_TRUE(state.finished());
  EXPECT_EQ(state.Mask().error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(state.Accept(0).error().code, ErrorCode::kInvalidArgument);
}

TEST(GrammarState, ChangesNothingWhenATokenIsRefused) {
  const auto compiled = CompiledGrammar::Create(*ParseGbnf("root ::= \"ab\""), MakeVocabulary({"a", "ax", "b"}));
  ASSERT_OK(compiled);
  GrammarState state(*compiled);
  for (const TokenId token : {1, 2, 3, 4, -1, 1 << 30}) {
    const auto refused = state.Accept(token);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  }
  ASSERT_OK(state.Accept(0));
  ASSERT_OK(state.Accept(2));
  ASSERT_OK(state.Accept(3));
}

TEST(GrammarState, CutsCharactersWhereTokensDo) {
  // U+00E9 and U+4E2D, whole and in parts.
  const std::vector<std::string> tokens = {"\xC3",     "\xA9", "\xC3\xA9", "\xE4", "\xB8\xAD",
                                           "\xE4\xB8", "\xAD", "\xAD\xC3", "\xA8"};
  const auto compiled = CompiledGrammar::Create(*ParseGbnf("root ::= [é中]+"), MakeVocabulary(tokens));
  ASSERT_OK(compiled);
  GrammarState state(*compiled);
  EXPECT_EQ(TokensOf(*state.Mask()), (std::set<TokenId>{0, 2, 3, 5}));
  ASSERT_OK(state.Accept(5));
  EXPECT_FALSE(state.CanEnd());
  EXPECT_EQ(TokensOf(*state.Mask()), (std::set<TokenId>{6, 7}));
  ASSERT_OK(state.Accept(7));
  EXPECT_EQ(TokensOf(*state.Mask()), (std::set<TokenId>{1}));
  ASSERT_OK(state.Accept(1));
  EXPECT_TRUE(state.CanEnd());
}

TEST(GrammarState, SaysWhenTheVocabularyCannotGoOn) {
  const auto compiled = CompiledGrammar::Create(*ParseGbnf("root ::= \"ac\""), MakeVocabulary({"a", "b"}));
  ASSERT_OK(compiled);
  GrammarState state(*compiled);
  ASSERT_OK(state.Accept(0));
  const auto mask = state.Mask();
  ASSERT_FALSE(mask.has_value());
  EXPECT_EQ(mask.error().code, ErrorCode::kFailedPrecondition);
}

TEST(GrammarState, TellsTooMuchAmbiguityFromAnError) {
  // Behind an x as many readings as there may be, and one more.
  for (const size_t readings : {GrammarStates::kMaxItems - 10, GrammarStates::kMaxItems + 1}) {
    std::string gbnf = "root ::= \"b\" | \"x\" (\"a\"";
    for (size_t i = 1; i < readings; i++) gbnf += "|\"a\"";
    const auto compiled = CompiledGrammar::Create(*ParseGbnf(gbnf + ")"), MakeVocabulary({"x", "b"}));
    ASSERT_OK(compiled);
    GrammarState state(*compiled);
    const auto accepted = state.Accept(0);
    EXPECT_EQ(accepted.has_value(), readings < GrammarStates::kMaxItems);
    if (accepted) continue;
    EXPECT_EQ(accepted.error().code, ErrorCode::kResourceExhausted);
    // The text so far is still what it was.
    EXPECT_OK(state.Accept(1));
  }
}

TEST(GrammarState, EndsWorkThatIsTooMuch) {
  // Two counts that go on independently: their pairs grow with the square of the text.
  const auto compiled = CompiledGrammar::Create(*ParseGbnf("root ::= ((\"a\" | \"aa\"){0,9000} \"a\"?){0,9000} \"b\""),
                                                MakeVocabulary({std::string(200, 'a')}));
  ASSERT_OK(compiled);
  GrammarState state(*compiled);
  Result<void> accepted;
  for (int i = 0; i < 100 && accepted; i++) accepted = state.Accept(0);
  ASSERT_FALSE(accepted.has_value());
  EXPECT_EQ(accepted.error().code, ErrorCode::kResourceExhausted);
}

TEST(GrammarState, RefusesToNestDeeperThanItsLimit) {
  const auto compiled =
      CompiledGrammar::Create(*ParseGbnf("root ::= \"(\" root \")\" | \"x\""), MakeVocabulary({"(", ")", "x"}));
  ASSERT_OK(compiled);
  GrammarState state(*compiled);
  size_t depth = 0;
  while (state.Accept(0)) depth++;
  EXPECT_EQ(depth, GrammarStates::kMaxDepth - 1);
  EXPECT_EQ(TokensOf(*state.Mask()), std::set<TokenId>{2});
  ASSERT_OK(state.Accept(2));
  for (; depth > 0; depth--) ASSERT_OK(state.Accept(1));
  EXPECT_TRUE(state.CanEnd());
}

TEST(GrammarState, NeverBeginsWithASpaceThatIsNotShown) {
  std::vector<std::string> tokens = {" a", "a", " ", ""};
  const auto vocabulary = GrammarVocabulary::Create(tokens, {{3}}, true);
  const auto compiled = CompiledGrammar::Create(*ParseGbnf("root ::= [ a]{1,4}"), vocabulary);
  ASSERT_OK(compiled);
  GrammarState state(*compiled);
  EXPECT_EQ(TokensOf(*state.Mask()), std::set<TokenId>{1});
  EXPECT_FALSE(state.Accept(0).has_value());
  ASSERT_OK(state.Accept(1));
  EXPECT_EQ(TokensOf(*state.Mask()), (std::set<TokenId>{0, 1, 2, 3}));
}

// With counts far from their ends, what may come next is worked out once.
TEST(CompiledGrammar, WorksOutTheMaskOfAlikeStatesOnce) {
  const auto compiled = CompiledGrammar::Create(*ParseGbnf("root ::= \"<\" [a-z]{500,1000} \">\""),
                                                MakeVocabulary({"<", "a", "abcd", ">"}));
  ASSERT_OK(compiled);
  GrammarState state(*compiled);
  ASSERT_OK(state.Accept(0));
  size_t length = 0;
  for (; length < 1000; length++) {
    const std::set<TokenId> allowed = TokensOf(*state.Mask());
    ASSERT_TRUE(allowed.contains(1));
    ASSERT_EQ(allowed.contains(2), length + 4 <= 1000);
    ASSERT_EQ(allowed.contains(3), length >= 500);
    ASSERT_OK(state.Accept(1));
  }
  EXPECT_EQ(TokensOf(*state.Mask()), std::set<TokenId>{3});
  EXPECT_EQ((*compiled)->counts().masks, 1001u);
  // Far from 500, the 4 before it, 499, far from 1000, the 4 before that, 999, and the end.
  EXPECT_LE((*compiled)->counts().computed_masks, 13u);
}

TEST(TokenMask, ForbidsWhatIsNotInIt) {
  std::vector<float> logits(200);
  for (size_t i = 0; i < logits.size(); i++) logits[i] = static_cast<float>(i);
  std::vector<uint64_t> mask = {~uint64_t{0}, 0, uint64_t{1} << 5 | uint64_t{1} << 63};
  std::vector<float> out(200);
  ApplyMask(mask, logits, out);
  for (size_t i = 0; i < logits.size(); i++) {
    const bool allowed = i < 64 || i == 128 + 5 || i == 128 + 63;  // beyond the mask: no
    EXPECT_EQ(out[i], allowed ? logits[i] : -std::numeric_limits<float>::infinity()) << i;
  }
  ApplyMask(mask, logits, logits);
  EXPECT_EQ(logits, out);
}

}  // namespace
}  // namespace bothy
