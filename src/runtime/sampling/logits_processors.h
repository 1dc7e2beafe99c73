// What changes single logits before a token is chosen: penalties, biases, bans, forced tokens. Each does what
// transformers 5.23 does under the same name, and they act in generate()'s order:
//   frequency and presence penalty (OpenAI's, which generate() lacks), sequence_bias and logit_bias,
//   repetition_penalty, no_repeat_ngram_size, bad_words_ids, min_length, min_new_tokens, forced_bos_token_id,
//   forced_eos_token_id, remove_invalid_values, exponential_decay_length_penalty, suppress_tokens,
//   begin_suppress_tokens.
// The work is proportional to what they name and to the different tokens of the history, not to the vocabulary.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/sampling/sampling_params.h"
#include "runtime/sampling/token_history.h"

namespace bothy {

class LogitsProcessors {
 public:
  // Settings that name tokens outside of the vocabulary are kInvalidArgument, as in the reference; suppressed and end
  // tokens may.
  static Result<LogitsProcessors> Create(const SamplingParams& params, size_t vocabulary);

  // Whether Apply() changes nothing, whatever the history.
  bool idle() const { return idle_; }

  // logits: [vocabulary]. The history was made with the same settings. Allocates nothing.
  void Apply(std::span<float> logits, const TokenHistory& history) const;

 private:
  // A sequence of tokens and what is added to the last one where the history ends with the others.
  struct Continuation {
    std::vector<int32_t> before;
    int32_t token;
    float bias;
    size_t number;  // in the order in which they were given
  };

  LogitsProcessors() = default;
  static int64_t LastBefore(const Continuation& c);  // -1 where none must stand before
  static Result<void> Add(std::string_view name, std::span<const int32_t> tokens, double bias, size_t vocabulary,
                          std::vector<Continuation>& to);
  static void Order(std::vector<Continuation>& continuations);
  static void ApplyContinuations(const std::vector<Continuation>& continuations, std::span<float> logits,
                                 const TokenHistory& history);
  void ApplyPenalties(std::span<float> logits, const TokenHistory& history) const;
  void ApplyLength(std::span<float> logits, const TokenHistory& history) const;

  bool idle_ = true;
  float frequency_penalty_ = 0, presence_penalty_ = 0, repetition_penalty_ = 1;
  int64_t no_repeat_ngram_size_ = 0;
  std::vector<Continuation> biases_, bad_words_;  // sorted by the last token that must stand before
  std::vector<int32_t> end_, suppress_, begin_suppress_, forced_end_;
  std::optional<int32_t> forced_begin_;
  size_t min_length_ = 0, min_new_tokens_ = 0;
  bool remove_invalid_ = false;
  std::optional<LengthDecay> decay_;
};

}  // namespace bothy
