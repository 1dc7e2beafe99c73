#include "runtime/sampling/stop_matcher.h"

#include <gtest/gtest.h>

#include <random>

namespace bothy {
namespace {

struct Shown {
  std::string text;
  std::optional<size_t> found;
};

Shown Show(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
  StopMatcher matcher(stops);
  Shown shown;
  for (const auto& piece : pieces) shown.text += matcher.Append(piece);
  shown.text += matcher.Finish();
  shown.found = matcher.found();
  return shown;
}

TEST(StopMatcher, HoldsBackWhatMayBeTheBeginningOfAStopString) {
  StopMatcher matcher({"User:"});
  EXPECT_EQ(matcher.Append("Hello Us"), "Hello ");
  EXPECT_EQ(matcher.Append("e"), "");
  EXPECT_EQ(matcher.Append("ful U"), "Useful ");
  EXPECT_EQ(matcher.Append("ser"), "");
  EXPECT_FALSE(matcher.found());
  EXPECT_EQ(matcher.Append(": and more"), "");
  EXPECT_EQ(matcher.found(), 0u);
  EXPECT_EQ(matcher.stop(0), "User:");
  EXPECT_EQ(matcher.Append("ignored"), "");
  EXPECT_EQ(matcher.Finish(), "");
}

TEST(StopMatcher, TheEndOfTheTextReleasesWhatWasHeld) {
  StopMatcher matcher({"</s>"});
  EXPECT_EQ(matcher.Append("a</"), "a");
  EXPECT_EQ(matcher.Finish(), "</");
}

TEST(StopMatcher, AFailedBeginningMayHoldAnother) {
  EXPECT_EQ(Show({"aab"}, {"a", "a", "a", "b", "c"}).text, "a");
  EXPECT_EQ(Show({"abac", "bab"}, {"ababac"}).text, "a");  // "bab" is complete first
}

TEST(StopMatcher, OfStringsThatEndTogetherTheLongestCounts) {
  const auto shown = Show({"\n", "END\n"}, {"text EN", "D\n more"});
  EXPECT_EQ(shown.text, "text ");
  EXPECT_EQ(shown.found, 1u);
}

TEST(StopMatcher, CharactersAreNeverCutWhereverPiecesEnd) {
  const std::string text = "a\u00e9\u20ac\U0001F600 \u20ad done";
  for (size_t cut = 0; cut <= text.size(); cut++) {
    StopMatcher matcher({"\u20ac\u20ac"});
    const std::string first = matcher.Append(text.substr(0, cut));
    EXPECT_TRUE(first.empty() || (first.size() == text.size()) ||
                (static_cast<unsigned char>(text[first.size()]) & 0xC0) != 0x80)
        << cut;
    EXPECT_EQ(first + matcher.Append(text.substr(cut)) + matcher.Finish(), text);
  }
}

TEST(StopMatcher, FindsAStopStringThatStraddlesPiecesWithinACharacter) {
  const auto shown = Show({"\u20ac!"}, {"a\xE2", "\x82", "\xAC", "!", "b"});
  EXPECT_EQ(shown.text, "a");
  EXPECT_EQ(shown.found, 0u);
}

TEST(StopMatcher, BytesThatAreNoTextComeThrough) {
  EXPECT_EQ(Show({}, {"\xFF\x80", "a\xC3"}).text,
            "\xFF\x80"
            "a\xC3");
  EXPECT_EQ(Show({""}, {"abc"}).text, "abc");
}

TEST(StopMatcher, AgreesWithASearchOfTheWholeTextHoweverItIsCut) {
  std::mt19937 random(1);
  const auto word = [&](size_t longest) {
    std::string text(1 + random() % longest, 'a');
    for (char& c : text) c = static_cast<char>('a' + random() % 2);
    return text;
  };
  for (int round = 0; round < 3000; round++) {
    const std::vector<std::string> stops{word(5), word(5), word(6)};
    const std::string text = word(30);
    size_t end = std::string::npos, longest = 0;
    for (size_t n = 1; n <= text.size() && longest == 0; n++) {
      for (const auto& stop : stops) {
        if (std::string_view(text).substr(0, n).ends_with(stop)) longest = std::max(longest, stop.size());
      }
      if (longest > 0) end = n - longest;
    }
    std::vector<std::string> pieces;
    for (size_t at = 0; at < text.size();) {
      pieces.push_back(text.substr(at, random() % 5));
      at += pieces.back().size();
    }
    ASSERT_EQ(Show(stops, pieces).text, text.substr(0, end)) << text;
  }
}

}  // namespace
}  // namespace bothy
