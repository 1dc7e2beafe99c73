#include "serve/reasoning.h"

#include <gtest/gtest.h>

namespace bothy::serve {
namespace {

// Both parts of a text that comes in pieces of `size` bytes.
std::pair<std::string, std::string> Read(std::string_view prompt, std::string_view text, size_t size,
                                         const ReasoningTags& tags = {"<think>", "</think>"}) {
  ReasoningReader reader(tags, prompt);
  std::pair<std::string, std::string> both;
  const auto take = [&](const ReasoningReader::Parts& parts) {
    both.first += parts.reasoning;
    both.second += parts.text;
  };
  for (size_t i = 0; i < text.size(); i += size) take(reader.Feed(text.substr(i, size)));
  take(reader.Finish());
  return both;
}

using Parts = std::pair<std::string, std::string>;

TEST(ReasoningReader, ThoughtsAndAnswerAreToldApartHoweverTheTextIsCut) {
  for (size_t size = 1; size < 30; size++) {
    EXPECT_EQ(Read("user: hi\nassistant: ", "\n<think>\nOne < two.\n\nSo </b>.\n</think>\n\nYes. <think>", size),
              Parts("One < two.\n\nSo </b>.", "Yes. <think>"));
  }
}

TEST(ReasoningReader, APromptThatOpensThoughtsBeginsInThem) {
  EXPECT_EQ(Read("assistant: <think>\n", "Hm.\n</think>\nYes.", 3), Parts("Hm.", "Yes."));
}

TEST(ReasoningReader, APromptThatClosedThoughtsBeginsWithTheAnswer) {
  EXPECT_EQ(Read("assistant: <think>\n\n</think>\n\n", "Yes.", 3), Parts("", "Yes."));
}

TEST(ReasoningReader, AnAnswerWithoutThoughtsIsLeftAsItIs) {
  EXPECT_EQ(Read("", "  <thin ice> \n", 2), Parts("", "  <thin ice> \n"));
  EXPECT_EQ(Read("", "<think>x</think>", 2, {}), Parts("", "<think>x</think>"));
}

TEST(ReasoningReader, ThoughtsThatAreCutOffAreThoughts) {
  EXPECT_EQ(Read("", "<think>One two</thi", 4), Parts("One two</thi", ""));
}

TEST(ReasoningReader, ThoughtsComeAsSoonAsTheyAreCertain) {
  ReasoningReader reader({"<think>", "</think>"}, "<think>");
  EXPECT_EQ(reader.Feed("One").reasoning, "One");
  EXPECT_EQ(reader.Feed(" ").reasoning, "");
  EXPECT_EQ(reader.Feed("two</t").reasoning, " two");
  EXPECT_TRUE(reader.thinking());
  EXPECT_EQ(reader.Feed("hink>").reasoning, "");
  EXPECT_FALSE(reader.thinking());
}

TEST(ReasoningReader, BlanksWithoutEndAreNotHeldBackForever) {
  ReasoningReader reader({"<think>", "</think>"}, "<think>");
  reader.Feed("x");
  EXPECT_EQ(reader.Feed(std::string(1000, '\n')).reasoning.size(), 1000 - 64);
}

}  // namespace
}  // namespace bothy::serve
