// Chooses the next token from a model's logits: processors, then the likeliest token or a draw.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/sampling/candidates.h"
#include "runtime/sampling/logits_processors.h"
#include "runtime/sampling/philox.h"

namespace bothy {

// What one thread needs while it chooses; grows to the vocabulary's size once and is used again for every token of
// every sequence.
struct SamplerScratch {
  std::vector<float> logits;
  std::vector<double> chunk_sums;
  Candidates candidates;
};

struct TokenProbability {
  int32_t token;
  double probability;
};

class Sampler {  // Immutable; one serves all sequences with its settings, on any number of threads.
 public:
  static Result<Sampler> Create(SamplingParams params, size_t vocabulary);

  const SamplingParams& params() const { return params_; }

  // The next token of `history`. logits: [vocabulary], as the model gave them. The draw is keyed by `seed`, the
  // sequence's number in its request, and the history's length. Where nothing is drawn, of equal logits the lowest id
  // wins.
  Result<int32_t> Choose(std::span<const float> logits, const TokenHistory& history, uint64_t seed, uint32_t sequence,
                         SamplerScratch& scratch) const;

  // The distribution that Choose() draws from, by rising id, without tokens of probability 0; greedy: one token.
  Result<std::vector<TokenProbability>> Distribution(std::span<const float> logits, const TokenHistory& history,
                                                     SamplerScratch& scratch) const;

  // The processors alone, in place, or with the cuts too: logits divided by the temperature, and minus infinity for
  // what was cut. At least `keep` tokens survive the cuts. For beam search.
  Result<void> Process(std::span<float> logits, const TokenHistory& history, size_t keep,
                       SamplerScratch& scratch) const;

 private:
  Sampler(SamplingParams params, LogitsProcessors processors, size_t vocabulary);
  std::span<const float> Processed(std::span<const float> logits, const TokenHistory& history,
                                   SamplerScratch& scratch) const;
  bool Cuts() const;

  SamplingParams params_;
  LogitsProcessors processors_;
  size_t vocabulary_;
};

}  // namespace bothy
