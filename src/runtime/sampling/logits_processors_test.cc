#include "runtime/sampling/logits_processors.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/testing.h"

namespace bothy {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();
using Logits = std::vector<float>;

// What the settings make of `logits` after a prompt and some new tokens.
Logits Processed(const SamplingParams& params, Logits logits, const std::vector<int32_t>& prompt,
                 const std::vector<int32_t>& added = {}, size_t max_length = 0) {
  const auto processors = LogitsProcessors::Create(params, logits.size());
  if (!processors) {
    ADD_FAILURE() << processors.error().message;
    return {};
  }
  TokenHistory history(params, prompt, max_length);
  for (const int32_t token : added) history.Append(token);
  processors->Apply(logits, history);
  return logits;
}

TEST(LogitsProcessors, NothingSetChangesNothing) {
  const auto processors = LogitsProcessors::Create({}, 4);
  ASSERT_OK(processors);
  EXPECT_TRUE(processors->idle());
  EXPECT_EQ(Processed({}, {1, -2, 3, kForbidden}, {0, 1}), (Logits{1, -2, 3, kForbidden}));
}

TEST(LogitsProcessors, PenaltiesPassOverTokensOutsideOfTheVocabulary) {
  SamplingParams params;
  params.repetition_penalty = 2;
  params.no_repeat_ngram_size = 1;
  EXPECT_EQ(Processed(params, {1, 2}, {0, 2, 1 << 30, -1}), (Logits{kForbidden, 2}));
}

TEST(LogitsProcessors, ASequenceBiasNeedsItsWholePrefix) {
  SamplingParams params;
  params.sequence_bias = {{{1, 2, 3}, 4.0}, {{2, 3}, 0.5}, {{0}, -1.0}, {{0}, -2.0}};
  EXPECT_EQ(Processed(params, {0, 0, 0, 0}, {1, 2}), (Logits{-2, 0, 0, 4.5}));  // of two for {0} the last one counts
  EXPECT_EQ(Processed(params, {0, 0, 0, 0}, {3, 2}), (Logits{-2, 0, 0, 0.5}));
  EXPECT_EQ(Processed(params, {0, 0, 0, 0}, {2}), (Logits{-2, 0, 0, 0.5}));
  EXPECT_EQ(Processed(params, {0, 0, 0, 0}, {}), (Logits{-2, 0, 0, 0}));
}

TEST(LogitsProcessors, TheEndTokenIsNeverABadWord) {
  SamplingParams params;
  params.eos_token_id = {1};
  params.bad_words_ids = {{1}, {2}, {0, 3}};
  EXPECT_EQ(Processed(params, {0, 0, 0, 0}, {0}), (Logits{0, 0, kForbidden, kForbidden}));
}

TEST(LogitsProcessors, TheMinimumLengthCountsThePromptAndTheMinimumOfNewTokensDoesNot) {
  SamplingParams params;
  params.eos_token_id = {1, 99, -1};
  params.min_length = 4;
  EXPECT_EQ(Processed(params, {0, 0}, {0, 0, 0}), (Logits{0, kForbidden}));
  EXPECT_EQ(Processed(params, {0, 0}, {0, 0, 0, 0}), (Logits{0, 0}));
  params.min_length = 0;
  params.min_new_tokens = 1;
  EXPECT_EQ(Processed(params, {0, 0}, {0, 0, 0, 0}), (Logits{0, kForbidden}));
  EXPECT_EQ(Processed(params, {0, 0}, {0, 0, 0}, {0}), (Logits{0, 0}));
}

TEST(LogitsProcessors, ForcedTokensAreAloneAtTheirPlaces) {
  SamplingParams params;
  params.forced_bos_token_id = 2;
  params.forced_eos_token_id = {0, 1};
  const Logits free{5, 5, 5};
  EXPECT_EQ(Processed(params, free, {9}, {}, 6), (Logits{kForbidden, kForbidden, 0}));
  EXPECT_EQ(Processed(params, free, {9}, {2, 9, 9}, 6), free);
  EXPECT_EQ(Processed(params, free, {9}, {2, 9, 9, 9}, 6), (Logits{0, 0, kForbidden}));
  EXPECT_EQ(Processed(params, free, {9, 9}, {}, 0), free);  // nobody knows where the end is
}

TEST(LogitsProcessors, TokensSuppressedAtTheBeginAreFreeLater) {
  SamplingParams params;
  params.suppress_tokens = {0, 77, -1};
  params.begin_suppress_tokens = {1};
  EXPECT_EQ(Processed(params, {0, 0, 0}, {2, 2}), (Logits{kForbidden, kForbidden, 0}));
  EXPECT_EQ(Processed(params, {0, 0, 0}, {2, 2}, {2}), (Logits{kForbidden, 0, 0}));
  // After one token of prompt the forced one is the first, and the next one begins.
  params.forced_bos_token_id = 2;
  EXPECT_EQ(Processed(params, {0, 0, 0}, {2}, {2}), (Logits{kForbidden, kForbidden, 0}));
}

TEST(LogitsProcessors, InvalidValuesBecomeTheLargestThatAreValid) {
  SamplingParams params;
  params.remove_invalid_values = true;
  constexpr float kMost = std::numeric_limits<float>::max();
  EXPECT_EQ(Processed(params, {std::numeric_limits<float>::quiet_NaN(), -kForbidden, kForbidden, 1}, {0}),
            (Logits{0, kMost, -kMost, 1}));
}

TEST(LogitsProcessors, TheLengthDecayRaisesTheEndTokenMoreAndMore) {
  SamplingParams params;
  params.eos_token_id = {0};
  params.exponential_decay_length_penalty = LengthDecay{1, 1.5};
  EXPECT_EQ(Processed(params, {-2, 1}, {1, 1}, {1}), (Logits{-2, 1}));
  EXPECT_EQ(Processed(params, {-2, 1}, {1, 1}, {1, 1}), (Logits{-1, 1}));               // 2 * (1.5 - 1)
  EXPECT_EQ(Processed(params, {-2, 1}, {1, 1}, {1, 1, 1}), (Logits{0.5, 1}));           // 2 * (1.5^2 - 1)
  EXPECT_EQ(Processed(params, {kForbidden, 1}, {1}, {1, 1}), (Logits{kForbidden, 1}));  // forbidden stays forbidden
}

TEST(LogitsProcessors, SettingsForTokensThatTheVocabularyLacksAreRefused) {
  SamplingParams bias, word, forced, decay;
  bias.logit_bias = {{4, 1.0}};
  word.bad_words_ids = {{1, 4}};
  forced.forced_bos_token_id = 4;
  decay.exponential_decay_length_penalty = LengthDecay{0, 2};
  EXPECT_EQ(LogitsProcessors::Create(bias, 4).error().message,
            "logit_bias: expected token ids below the vocabulary's size, 4, found 4");
  EXPECT_EQ(LogitsProcessors::Create(word, 4).error().message,
            "bad_words_ids: expected token ids below the vocabulary's size, 4, found 4");
  EXPECT_EQ(LogitsProcessors::Create(forced, 4).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(LogitsProcessors::Create(decay, 4).error().message,
            "exponential_decay_length_penalty: needs an eos_token_id");
}

}  // namespace
}  // namespace bothy
