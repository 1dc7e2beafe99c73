// The options of subcommands that generate text: how tokens are chosen, and where the model's own wishes come from.
#pragma once

#include <CLI/App.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/model_options.h"
#include "runtime/sampling/sampling_params.h"
#include "text/tokenizer.h"

namespace bothy::cli {

struct TextOptions {
  std::optional<int64_t> max_tokens;
  bool greedy = false;
  std::optional<double> temperature, top_p, min_p, typical_p, repetition_penalty, presence_penalty, frequency_penalty;
  std::optional<int64_t> top_k;
  std::optional<uint64_t> seed;
  std::vector<std::string> stop;

  std::optional<double> top_h, epsilon_cutoff, eta_cutoff;
  std::optional<int64_t> min_new_tokens, no_repeat_ngram_size;
  std::vector<std::string> bad_words, logit_bias;
  std::vector<int32_t> suppress_tokens, begin_suppress_tokens, forced_eos_token_id;
  std::optional<int32_t> forced_bos_token_id;
  std::vector<double> length_decay;
  bool remove_invalid_values = false, renormalize_logits = false;

  std::optional<int64_t> beams;
  std::optional<double> length_penalty;
  std::optional<std::string> early_stopping;

  void AddTo(CLI::App* app);
  void AddBeamsTo(CLI::App* app);

  // The settings of `files` (generation_config.json), then these on top; end tokens are the model's and the
  // tokenizer's. A file's num_beams counts where neither --beams nor --greedy is given; its num_return_sequences does
  // not. kUsage for what makes no sense.
  Result<SamplingParams> Params(const ModelFiles& files, const Tokenizer& tokenizer) const;
};

// "12 prompt tokens at 210.5 tokens/s, 64 generated at 48.2 tokens/s": the line after an answer.
std::string SpeedLine(size_t prompt_tokens, size_t cached_tokens, double prompt_seconds, size_t generated_tokens,
                      double generation_seconds);

}  // namespace bothy::cli
