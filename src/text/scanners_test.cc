#include "text/scanners.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/testing.h"
#include "text/pre_tokenizer.h"
#include "text/random_text.h"
#include "text/split_patterns.h"

namespace bothy {
namespace {

class Words final : public WordSink {
 public:
  explicit Words(TextBudget& budget) : WordSink(budget) {}
  void Put(const Word& word) override { words.emplace_back(word.text); }
  std::vector<std::string> words;
};

std::vector<std::string> Cut(std::string_view pattern, std::string_view text, bool scanners) {
  const auto splitter = SplitByRegex(pattern, SplitBehavior::kIsolated, false, scanners);
  TextBudget budget(text.size());
  Words words(budget);
  if (!splitter) {
    ADD_FAILURE() << splitter.error().message;
    return {};
  }
  if (!text.empty()) (*splitter)->Cut({text}, false, words);
  EXPECT_FALSE(words.error());
  return words.words;
}

class Scanners : public testing::TestWithParam<std::string_view> {};

TEST_P(Scanners, CutAsTheirPatternDoes) {
  ASSERT_NE(FindScanner(GetParam()), nullptr);
  rc::check([] {
    const std::string text = *RandomText();
    RC_ASSERT(Cut(GetParam(), text, true) == Cut(GetParam(), text, false));
  });
}

INSTANTIATE_TEST_SUITE_P(Famous, Scanners, testing::Values(kGpt2Pattern, kLlama3Pattern, kQwen2Pattern));

TEST(Scanners, KnowOnlyTheExactPattern) {
  EXPECT_EQ(FindScanner(std::string(kGpt2Pattern) + " "), nullptr);
  EXPECT_EQ(FindScanner(""), nullptr);
}

}  // namespace
}  // namespace bothy
