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

  void AddTo(CLI::App* app);

  // The settings of `files` (generation_config.json), then these on top; end tokens are the model's and the
  // tokenizer's.
  Result<SamplingParams> Params(const ModelFiles& files, const Tokenizer& tokenizer) const;
};

// "12 prompt tokens at 210.5 tokens/s, 64 generated at 48.2 tokens/s": the line after an answer.
std::string SpeedLine(size_t prompt_tokens, size_t cached_tokens, double prompt_seconds, size_t generated_tokens,
                      double generation_seconds);

}  // namespace bothy::cli
