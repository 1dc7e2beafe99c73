#include "runtime/sampling/sampling_params.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace bothy {
namespace {

json::object Object(std::string_view text) {
  auto value = json::Parse(text, "test");
  if (!value) {
    ADD_FAILURE() << value.error().message;
    return {};
  }
  return value->as_object();
}

std::string Refusal(std::string_view settings) {
  SamplingParams params;
  const auto result = ReadSampling(Object(settings), SettingsFrom::kRequest, params);
  EXPECT_EQ(params.temperature, 1.0) << "refused settings must change nothing";
  return result ? "" : result.error().message;
}

TEST(SamplingParams, ARequestIsOnTopOfTheFileKeyByKey) {
  SamplingParams params;
  ASSERT_OK(ReadSampling(Object(R"({"do_sample": true, "temperature": 0.6, "top_p": 0.9, "eos_token_id": [2, 5],
                                    "bos_token_id": 1, "transformers_version": "4.40.0", "top_k": null})"),
                         SettingsFrom::kFile, params));
  ASSERT_OK(
      ReadSampling(Object(R"({"top_p": 0.5, "stop_strings": "END", "seed": -1})"), SettingsFrom::kRequest, params));
  EXPECT_TRUE(params.Samples());
  EXPECT_EQ(params.temperature, 0.6);
  EXPECT_EQ(params.top_p, 0.5);
  EXPECT_EQ(params.top_k, 50);  // generate()'s own default
  EXPECT_EQ(params.eos_token_id, (std::vector<int32_t>{2, 5}));
  EXPECT_EQ(params.stop_strings, (std::vector<std::string>{"END"}));
  EXPECT_EQ(params.seed, ~uint64_t{0});
}

TEST(SamplingParams, AFileWithoutDoSampleIsGreedyAndARequestForATemperatureIsNot) {
  SamplingParams params;
  ASSERT_OK(ReadSampling(Object(R"({"temperature": 0.6, "eos_token_id": 2})"), SettingsFrom::kFile, params));
  EXPECT_FALSE(params.Samples());
  EXPECT_EQ(params.eos_token_id, (std::vector<int32_t>{2}));
  SamplingParams warmer = params, colder = params, told = params;
  ASSERT_OK(ReadSampling(Object(R"({"temperature": 0.9})"), SettingsFrom::kRequest, warmer));
  EXPECT_TRUE(warmer.Samples());
  ASSERT_OK(ReadSampling(Object(R"({"temperature": 0})"), SettingsFrom::kRequest, colder));
  EXPECT_FALSE(colder.Samples());
  ASSERT_OK(ReadSampling(Object(R"({"temperature": 0.9, "do_sample": false})"), SettingsFrom::kRequest, told));
  EXPECT_FALSE(told.Samples());
}

TEST(SamplingParams, EverySettingIsRead) {
  SamplingParams p;
  ASSERT_OK(ReadSampling(
      Object(R"({"max_length": 90, "max_new_tokens": 20, "min_length": 3, "min_new_tokens": 4, "do_sample": true,
                 "top_h": 0.4, "top_k": 7, "min_p": 0.1, "typical_p": 0.8, "epsilon_cutoff": 0.001, "eta_cutoff": 0.002,
                 "repetition_penalty": 1.1, "frequency_penalty": 0.2, "presence_penalty": -0.3,
                 "no_repeat_ngram_size": 3, "logit_bias": {"3": 2.5, "7": -100}, "sequence_bias": [[[1, 2], -1.5]],
                 "bad_words_ids": [[5], [6, 7]], "suppress_tokens": [1], "begin_suppress_tokens": [2],
                 "forced_bos_token_id": 8, "forced_eos_token_id": 9, "remove_invalid_values": true,
                 "renormalize_logits": true, "exponential_decay_length_penalty": [5, 1.2], "num_beams": 4,
                 "length_penalty": 0.7, "early_stopping": "never", "num_return_sequences": 2,
                 "stop_strings": ["a", "b"], "seed": 18446744073709551615})"),
      SettingsFrom::kFile, p));
  EXPECT_EQ(p.max_length, 90);
  EXPECT_EQ(p.max_new_tokens, 20);
  EXPECT_EQ(p.min_length, 3);
  EXPECT_EQ(p.min_new_tokens, 4);
  EXPECT_EQ(p.top_h, 0.4);
  EXPECT_EQ(p.top_k, 7);
  EXPECT_EQ(p.min_p, 0.1);
  EXPECT_EQ(p.typical_p, 0.8);
  EXPECT_EQ(p.epsilon_cutoff, 0.001);
  EXPECT_EQ(p.eta_cutoff, 0.002);
  EXPECT_EQ(p.repetition_penalty, 1.1);
  EXPECT_EQ(p.frequency_penalty, 0.2);
  EXPECT_EQ(p.presence_penalty, -0.3);
  EXPECT_EQ(p.no_repeat_ngram_size, 3);
  EXPECT_EQ(p.logit_bias, (std::vector<std::pair<int32_t, double>>{{3, 2.5}, {7, -100.0}}));
  ASSERT_EQ(p.sequence_bias.size(), 1u);
  EXPECT_EQ(p.sequence_bias[0].tokens, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(p.sequence_bias[0].bias, -1.5);
  EXPECT_EQ(p.bad_words_ids, (std::vector<std::vector<int32_t>>{{5}, {6, 7}}));
  EXPECT_EQ(p.suppress_tokens, (std::vector<int32_t>{1}));
  EXPECT_EQ(p.begin_suppress_tokens, (std::vector<int32_t>{2}));
  EXPECT_EQ(p.forced_bos_token_id, 8);
  EXPECT_EQ(p.forced_eos_token_id, (std::vector<int32_t>{9}));
  EXPECT_TRUE(p.remove_invalid_values);
  EXPECT_TRUE(p.renormalize_logits);
  ASSERT_TRUE(p.exponential_decay_length_penalty);
  EXPECT_EQ(p.exponential_decay_length_penalty->start, 5);
  EXPECT_EQ(p.exponential_decay_length_penalty->factor, 1.2);
  EXPECT_EQ(p.num_beams, 4);
  EXPECT_EQ(p.length_penalty, 0.7);
  EXPECT_EQ(p.early_stopping, EarlyStopping::kNever);
  EXPECT_EQ(p.num_return_sequences, 2);
  EXPECT_EQ(p.stop_strings, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(p.seed, ~uint64_t{0});
}

TEST(SamplingParams, AValueOutOfLimitsIsNamedWithItsLimits) {
  EXPECT_EQ(Refusal(R"({"top_p": 1.5})"), "top_p: expected a number from 0 to 1 (1 is off), found 1.5");
  EXPECT_EQ(Refusal(R"({"temperature": -0.5})"), "temperature: expected a number of at least 0, found -0.5");
  EXPECT_EQ(Refusal(R"({"top_k": -2})"), "top_k: expected an integer of at least 0 (0 is off, and so is -1), found -2");
  EXPECT_EQ(Refusal(R"({"top_h": 0})"), "top_h: expected a number above 0, at most 1, found 0");
  EXPECT_EQ(Refusal(R"({"repetition_penalty": 0})"),
            "repetition_penalty: expected a number above 0 (1 is off), found 0");
  EXPECT_EQ(Refusal(R"({"num_beams": 1025})"), "num_beams: expected an integer from 1 to 1024, found 1025");
  EXPECT_EQ(Refusal(R"({"num_beams": 2, "num_return_sequences": 3})"),
            "num_return_sequences: expected at most num_beams, 2, found 3");
  EXPECT_EQ(Refusal(R"({"max_new_tokens": 3, "min_new_tokens": 4})"),
            "min_new_tokens: expected at most max_new_tokens, 3, found 4");
  EXPECT_EQ(Refusal(R"({"suppress_tokens": [4, 5], "forced_eos_token_id": [5]})"),
            "forced_eos_token_id: every token of it is in suppress_tokens too");
}

TEST(SamplingParams, AValueOfTheWrongTypeIsNamed) {
  EXPECT_EQ(Refusal(R"({"top_p": "high"})"), "top_p: expected a number, found \"high\"");
  EXPECT_EQ(Refusal(R"({"top_k": 1.5})"), "top_k: expected an integer, found 1.5E0");
  EXPECT_EQ(Refusal(R"({"do_sample": 1})"), "do_sample: expected true or false, found 1");
  EXPECT_EQ(Refusal(R"({"eos_token_id": [1, "x"]})"), "eos_token_id: expected token ids, found \"x\"");
  EXPECT_EQ(Refusal(R"({"eos_token_id": 3000000000})"), "eos_token_id: expected token ids, found 3000000000");
  EXPECT_EQ(Refusal(R"({"logit_bias": {"x": 1}})"), "logit_bias: expected token ids as keys, found \"x\"");
  EXPECT_EQ(Refusal(R"({"logit_bias": {"-3": 1}})"), "logit_bias: expected token ids as keys, found \"-3\"");
  EXPECT_EQ(Refusal(R"({"bad_words_ids": [[]]})"), "bad_words_ids: expected lists of token ids, found an empty one");
  EXPECT_EQ(Refusal(R"({"bad_words_ids": [3]})"), "bad_words_ids: expected a list of lists of token ids, found 3");
  EXPECT_EQ(Refusal(R"({"sequence_bias": [[1, 2]]})"), "sequence_bias: expected [[token ids], bias], found [1,2]");
  EXPECT_EQ(Refusal(R"({"early_stopping": "always"})"),
            "early_stopping: expected true, false or \"never\", found \"always\"");
  EXPECT_EQ(Refusal(R"({"exponential_decay_length_penalty": [1]})"),
            "exponential_decay_length_penalty: expected [start, factor] with start >= 0, found [1]");
  EXPECT_EQ(Refusal(R"({"stop_strings": [""]})"),
            "stop_strings: expected strings that are not empty, found an empty one");
  EXPECT_EQ(Refusal(R"({"seed": 1.5})"), "seed: expected an integer of 64 bits, found 1.5E0");
}

TEST(SamplingParams, WhatWouldChangeTheTextAndIsNotSupportedIsRefused) {
  EXPECT_EQ(Refusal(R"({"guidance_scale": 3})"), "guidance_scale: 3 is not supported");
  EXPECT_EQ(Refusal(R"({"guidance_scale": 1.0, "num_beam_groups": 1, "watermarking_config": null})"), "");
}

}  // namespace
}  // namespace bothy
