// Tokenizer files that were made to take all memory or time.
#include <gtest/gtest.h>

#include "base/testing.h"
#include "codec/json.h"
#include "text/charsmap.h"
#include "text/open_tokenizer.h"
#include "text/regex.h"
#include "text/text_budget.h"

namespace bothy {
namespace {

Result<std::unique_ptr<Tokenizer>> FromJson(std::string_view json) {
  return TokenizerFromFile(*MemorySource("tokenizer.json", json));
}

// `keys`: what comes before the model.
Result<std::unique_ptr<Tokenizer>> WithSteps(std::string_view keys) {
  return FromJson(
      fmt::format(R"({{{}, "model": {{"type": "BPE", "vocab": {{"a": 0, "b": 1, " ": 2}}, "merges": []}}}})", keys));
}

std::string Repeated(std::string_view what, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; i++) text.append(i > 0 ? "," : "").append(what);
  return text;
}

template <class T>
void ExpectCode(const Result<T>& result, ErrorCode code) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << result.error().message;
}

TEST(TextBudget, LastsForWhatItSaysAndNotForOneMore) {
  TextBudget budget(3);
  EXPECT_TRUE(budget.TakeBytes(3 * TextBudget::kBytesPerByte + TextBudget::kMoreBytes));
  EXPECT_TRUE(budget.TakeSteps(3 * TextBudget::kStepsPerByte + TextBudget::kMoreSteps));
  EXPECT_FALSE(budget.exhausted());
  EXPECT_FALSE(budget.TakeBytes(1));
  EXPECT_TRUE(budget.exhausted());
  EXPECT_FALSE(budget.TakeSteps(0));
}

TEST(HostileTokenizer, StepsThatDoubleATextEndInAnError) {
  const auto tokenizer =
      WithSteps(R"("pre_tokenizer": {"type": "Sequence", "pretokenizers": [)" +
                Repeated(R"({"type": "ByteLevel", "use_regex": false, "add_prefix_space": false})", 100) + "]}");
  ASSERT_OK(tokenizer);
  ExpectCode((*tokenizer)->Encode("\xC3\xA4"), ErrorCode::kResourceExhausted);
  ExpectCode((*tokenizer)->EncodeWithOffsets("\xC3\xA4"), ErrorCode::kResourceExhausted);
  EXPECT_OK((*tokenizer)->Encode("ab"));
}

TEST(HostileTokenizer, StepsThatGrowATextByTurnsEndInAnError) {
  // Each puts its own mark before every character.
  const auto tokenizer =
      WithSteps(R"("pre_tokenizer": {"type": "Sequence", "pretokenizers": [)" +
                Repeated(R"({"type": "Metaspace", "replacement": "x"}, {"type": "FixedLength", "length": 1},
            {"type": "Metaspace", "replacement": "y"}, {"type": "FixedLength", "length": 1})",
                         25) +
                "]}");
  ASSERT_OK(tokenizer);
  ExpectCode((*tokenizer)->Encode("a"), ErrorCode::kResourceExhausted);
}

TEST(HostileTokenizer, NormalizersThatMultiplyEndInAnError) {
  const std::string grow =
      fmt::format(R"({{"type": "Replace", "pattern": {{"String": "a"}}, "content": "{}"}})", std::string(4096, 'a'));
  const auto tokenizer = WithSteps(R"("normalizer": {"type": "Sequence", "normalizers": [)" + Repeated(grow, 2) + "]}");
  ASSERT_OK(tokenizer);
  ExpectCode((*tokenizer)->Encode("a"), ErrorCode::kResourceExhausted);
  EXPECT_OK((*tokenizer)->Encode("b"));
}

TEST(HostileTokenizer, NormalizersThatWorkInVainForEachPieceEndInAnError) {
  // What stands between two special tokens grows and shrinks; the budget is of the whole text.
  const std::string grow =
      fmt::format(R"({{"type": "Replace", "pattern": {{"String": "a"}}, "content": "{}"}})", std::string(4096, 'b'));
  const auto tokenizer = WithSteps(
      R"("added_tokens": [{"id": 1, "content": "b", "normalized": false}],
         "normalizer": {"type": "Sequence", "normalizers": [)" +
      grow + R"(, {"type": "Replace", "pattern": {"Regex": "b+"}, "content": "a"}]})");
  ASSERT_OK(tokenizer);
  std::string text;
  for (int i = 0; i < 1000; i++) text += "ab";
  ExpectCode((*tokenizer)->Encode(text), ErrorCode::kResourceExhausted);
  EXPECT_OK((*tokenizer)->Encode("abab"));
}

TEST(HostileTokenizer, DecodersMayNotMultiplyATokenBeyondTheLimit) {
  const auto decoder = [](size_t first, size_t second) {
    return WithSteps(fmt::format(
        R"("decoder": {{"type": "Sequence", "decoders": [
             {{"type": "Replace", "pattern": {{"String": "a"}}, "content": "{}"}},
             {{"type": "Replace", "pattern": {{"Regex": "a"}}, "content": "{}"}}]}})",
        std::string(first, 'a'), std::string(second, 'a')));
  };
  EXPECT_OK(decoder(16, 15));  // 16 and 15 + 1: a pattern may match between characters
  ExpectCode(decoder(16, 16), ErrorCode::kResourceExhausted);
}

TEST(HostileTokenizer, PrefixesOfPiecesMayNotBeLong) {
  const auto tokenizer = [](size_t size) {
    return FromJson(fmt::format(
        R"({{"model": {{"type": "BPE", "vocab": {{"a": 0}}, "merges": [], "continuing_subword_prefix": "{}"}}}})",
        std::string(size, '#')));
  };
  EXPECT_OK(tokenizer(64));
  ExpectCode(tokenizer(65), ErrorCode::kCorrupt);
}

TEST(HostileTokenizer, TokensAroundATextMustExist) {
  const auto tokenizer = [](int id) {
    return WithSteps(
        fmt::format(R"("post_processor": {{"type": "BertProcessing", "sep": ["x", {}], "cls": ["y", 0]}})", id));
  };
  EXPECT_OK(tokenizer(2));
  ExpectCode(tokenizer(3), ErrorCode::kCorrupt);
}

TEST(Regex, GivesUpASearchThatIsPolynomialInTheText) {
  // Nothing of it counts for PCRE2's own limit: machine code does not count what a repeated character gives back.
  const auto regex = Regex::Compile(R"(\s*\s*\s*\s*[xy])");
  ASSERT_OK(regex);
  const std::string spaces(3000, ' ');
  TextBudget budget(spaces.size());
  ExpectCode(regex->Find(spaces, 0, budget), ErrorCode::kResourceExhausted);
}

TEST(Regex, GivesUpASearchThatIsExponentialInTheText) {
  const auto regex = Regex::Compile("(a|a)*[xy]");
  ASSERT_OK(regex);
  const std::string text(40, 'a');
  TextBudget budget(text.size());
  ExpectCode(regex->Find(text, 0, budget), ErrorCode::kResourceExhausted);
}

TEST(Regex, FindsItsWayThroughLongRunsOfWhiteSpace) {
  const auto regex = Regex::Compile(R"(\s*[\r\n]+|\s+(?!\S)|\s+)");
  ASSERT_OK(regex);
  const std::string text = std::string(10'000, ' ') + "a";
  TextBudget budget(text.size());
  const auto match = regex->Find(text, 0, budget);
  ASSERT_OK(match);
  ASSERT_TRUE(*match);
  EXPECT_EQ((*match)->end, 9'999u);
}

TEST(Regex, RefusesAPatternThatBecomesTooLargeInPcreSyntax) {
  std::string pattern;
  for (int i = 0; i < 30'000; i++) pattern += "\\w";
  ExpectCode(Regex::Compile(pattern), ErrorCode::kResourceExhausted);
}

// A table with one unit of the trie, and one replacement.
std::string OneReplacement(size_t size) { return std::string("\4\0\0\0\0\0\0\0", 8) + std::string(size, 'x') + '\0'; }

TEST(Charsmap, ReadsReplacementsUpToTheLimit) {
  EXPECT_OK(Charsmap::Parse(OneReplacement(Charsmap::kMaxReplacement)));
  ExpectCode(Charsmap::Parse(OneReplacement(Charsmap::kMaxReplacement + 1)), ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace bothy
