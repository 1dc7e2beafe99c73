// How tokens are chosen: the settings of transformers' GenerationConfig (5.23) under their own names, OpenAI's
// penalties and biases, and a seed. The order in which they act is in logits_processors.h and candidates.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"

namespace bothy {

enum class EarlyStopping { kNo, kYes, kNever };  // false, true and "never" of beam search

struct SequenceBias {
  std::vector<int32_t> tokens;  // the bias is for the last one where the others stand before it
  double bias = 0;
};

struct LengthDecay {  // exponential_decay_length_penalty
  int64_t start = 0;  // new tokens
  double factor = 1;
};

// The defaults are those of generate() where neither the caller nor the model's files say anything; so top_k is 50.
struct SamplingParams {
  // Length, in tokens. max_length and min_length count the prompt, and max_new_tokens wins over max_length.
  std::optional<int64_t> max_length;
  std::optional<int64_t> max_new_tokens;
  int64_t min_length = 0;
  int64_t min_new_tokens = 0;

  bool do_sample = false;    // false: the likeliest token (or beam search)
  double temperature = 1.0;  // 0 is the same as do_sample false
  std::optional<double> top_h;
  int64_t top_k = 50;  // 0 or -1: off
  double top_p = 1.0;  // 1: off
  std::optional<double> min_p;
  double typical_p = 1.0;       // 1: off
  double epsilon_cutoff = 0.0;  // 0: off
  double eta_cutoff = 0.0;      // 0: off

  double repetition_penalty = 1.0;
  double frequency_penalty = 0.0;  // OpenAI's: logit -= count * penalty, over the prompt too
  double presence_penalty = 0.0;   // logit -= penalty where the token is there at all
  int64_t no_repeat_ngram_size = 0;
  std::vector<std::pair<int32_t, double>> logit_bias;
  std::vector<SequenceBias> sequence_bias;
  std::vector<std::vector<int32_t>> bad_words_ids;
  std::vector<int32_t> suppress_tokens;  // negative ids, here and in eos_token_id, are no token and do nothing
  std::vector<int32_t> begin_suppress_tokens;
  std::optional<int32_t> forced_bos_token_id;
  std::vector<int32_t> forced_eos_token_id;
  bool remove_invalid_values = false;
  bool renormalize_logits = false;
  std::optional<LengthDecay> exponential_decay_length_penalty;

  std::vector<int32_t> eos_token_id;
  std::vector<std::string> stop_strings;

  int64_t num_beams = 1;
  double length_penalty = 1.0;
  EarlyStopping early_stopping = EarlyStopping::kNo;
  int64_t num_return_sequences = 1;

  std::optional<uint64_t> seed;  // nothing: the caller draws one, so that it can tell which it was

  bool Samples() const { return do_sample && temperature > 0; }
};

// Who says it. A file's settings are the model maker's defaults. A request's are on top, key by key, and one that only
// makes sense for sampling (temperature, top_k, top_p, ...) also switches sampling on, or off where it is temperature
// 0, unless do_sample is among them. So: generate()'s defaults < generation_config.json < command line or request.
enum class SettingsFrom { kFile, kRequest };

// Puts the settings that `settings` has under their names in SamplingParams on top of `params`; null leaves a setting
// as it is. logit_bias is an object of token ids to numbers, as OpenAI has it; sequence_bias a list of [[ids], bias].
// Keys that are no settings of sampling are left alone, but what would change the text and is not supported
// (guidance_scale, watermarking_config, ...) is kUnimplemented. Values are checked as CheckSampling does.
Result<void> ReadSampling(const json::object& settings, SettingsFrom from, SamplingParams& params);

// Beams take memory for logits each; nobody searches with more.
inline constexpr int64_t kMaxBeams = 1024;

// kInvalidArgument names the setting, its value and the limits.
Result<void> CheckSampling(const SamplingParams& params);

}  // namespace bothy
