// Log-probabilities of tokens, as OpenAI's API reports them: of the token that was chosen and of the likeliest ones.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/sampling/sampler.h"

namespace bothy {

struct TokenLogProb {
  int32_t token;
  float log_prob;
};

struct LogProbs {
  float chosen = 0;               // minus infinity where the token has probability 0
  std::vector<TokenLogProb> top;  // the likeliest first, of equal ones the lower id
};

// Of the model's own distribution: the log-softmax of its logits, before processors and temperature. chosen is in
// [0, logits.size()). Fails as FindLikeliest.
Result<LogProbs> ModelLogProbs(std::span<const float> logits, int32_t chosen, size_t top, SamplerScratch& scratch);

// Of what the token was drawn from, after all settings: Sampler::Distribution().
LogProbs ProcessedLogProbs(std::span<const TokenProbability> distribution, int32_t chosen, size_t top);

}  // namespace bothy
