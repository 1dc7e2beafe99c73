#include "runtime/sampling/token_history.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace bothy {
namespace {

TEST(TokenHistory, CountsEveryTokenOfPromptAndAnswer) {
  SamplingParams params;
  params.frequency_penalty = 1;
  TokenHistory history(params, std::vector<int32_t>{5, 7, 5});
  std::map<int32_t, uint32_t> expected{{5, 2}, {7, 1}};
  std::mt19937 random(1);
  for (int i = 0; i < 5000; i++) {
    const auto token = static_cast<int32_t>(random() % 1000);
    history.Append(token);
    expected[token]++;
  }
  std::map<int32_t, uint32_t> counted;
  for (const auto& [token, count] : history.counts()) counted[token] = count;
  EXPECT_EQ(counted, expected);
  EXPECT_EQ(history.counts().size(), expected.size());
  EXPECT_EQ(history.prompt_length(), 3u);
  EXPECT_EQ(history.new_tokens(), 5000u);
}

TEST(TokenHistory, KnowsWhatFollowedTheLastTokens) {
  for (const int64_t n : {1, 2, 3, 5}) {
    SamplingParams params;
    params.no_repeat_ngram_size = n;
    const auto size = static_cast<size_t>(n);
    std::vector<int32_t> tokens;
    TokenHistory history(params, tokens);
    std::mt19937 random(2);
    for (int i = 0; i < 600; i++) {
      std::set<int32_t> expected, found;
      for (size_t start = 0; start + size <= tokens.size(); start++) {
        if (std::equal(tokens.end() - (n - 1), tokens.end(), tokens.begin() + static_cast<ptrdiff_t>(start))) {
          expected.insert(tokens[start + size - 1]);
        }
      }
      history.ForEachRepeat([&](int32_t token) { found.insert(token); });
      ASSERT_EQ(found, expected) << "n = " << n << " after " << i;
      tokens.push_back(static_cast<int32_t>(random() % 4));
      history.Append(tokens.back());
    }
  }
}

TEST(TokenHistory, AForkGoesItsOwnWay) {
  SamplingParams params;
  params.no_repeat_ngram_size = 2;
  TokenHistory first(params, std::vector<int32_t>{1, 2, 1});
  TokenHistory second = first;
  second.Append(3);
  second.Append(1);
  std::set<int32_t> of_first, of_second;
  first.ForEachRepeat([&](int32_t token) { of_first.insert(token); });
  second.ForEachRepeat([&](int32_t token) { of_second.insert(token); });
  EXPECT_EQ(of_first, (std::set<int32_t>{2}));
  EXPECT_EQ(of_second, (std::set<int32_t>{2, 3}));
}

}  // namespace
}  // namespace bothy
