// Beam search, with transformers' (5.23) rules for scores, processors and stopping. It knows no model: only who can go
// on with chosen beams.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "runtime/sampling/hypotheses.h"
#include "runtime/sampling/sampler.h"

namespace bothy {

// What beam search asks of a model. Logits are [beams, vocabulary], valid until the next call.
class BeamModel {
 public:
  virtual ~BeamModel() = default;

  // Starts with one beam.
  virtual Result<std::span<const float>> Prefill(std::span<const int32_t> prompt) = 0;

  // Beam i of the next step is the present beam parents[i] and tokens[i] behind it; what is no parent is dropped.
  virtual Result<std::span<const float>> Step(std::span<const uint32_t> parents, std::span<const int32_t> tokens) = 0;
};

struct BeamSearchOptions {
  size_t max_length = 0;  // tokens at the most, the prompt included
  uint64_t seed = 0;      // for do_sample: beams are drawn, without replacement, from what they weigh
  // Whether a text with these new tokens is finished, besides by end tokens and length (stop strings); may be empty.
  std::function<bool(std::span<const int32_t> new_tokens)> finished;
};

// num_beams, num_return_sequences, length_penalty, early_stopping, eos_token_id and all processors are the sampler's
// settings. The best hypothesis comes first; there are fewer than num_return_sequences only where there are not more.
// kInvalidArgument where the prompt leaves no room.
Result<std::vector<Hypothesis>> BeamSearch(BeamModel& model, const Sampler& sampler, std::span<const int32_t> prompt,
                                           const BeamSearchOptions& options);

}  // namespace bothy
