// From a sequence's logits to its next token: what generating one text and serving many at once have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "runtime/sampling/log_probs.h"
#include "runtime/sampling/sampler.h"
#include "runtime/token_constraint.h"

namespace bothy {

// The most tokens, prompt included, that the settings allow.
size_t MaxLength(const SamplingParams& params, size_t prompt);

// How one continuation's tokens are chosen. What it points at must outlive it.
struct TokenChooser {
  const Sampler* sampler = nullptr;
  uint64_t seed = 0;
  uint32_t sequence = 0;  // its number in the request
  std::optional<size_t> log_probs;
  TokenConstraint* constraint = nullptr;  // may be null
};

struct TokenChoice {
  int32_t token = 0;
  bool end = false;      // an end token
  bool longest = false;  // there may be no more after it
  std::optional<LogProbs> log_probs;
};

struct ChoiceScratch {
  SamplerScratch sampler;
  std::vector<float> allowed;  // logits under a constraint
};

// Chooses from the model's logits, [vocabulary], and appends to the history. Log-probabilities are the model's own.
Result<TokenChoice> ChooseToken(const TokenChooser& chooser, std::span<const float> logits, TokenHistory& history,
                                ChoiceScratch& scratch);

}  // namespace bothy
