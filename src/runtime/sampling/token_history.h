// The tokens of one sequence so far, prompt included, with what penalties need to know about them: how often each one
// stands there and what followed each n-gram, kept up to date token by token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/sampling/sampling_params.h"

namespace bothy {

struct TokenCount {
  int32_t token;
  uint32_t count;
};

class TokenHistory {  // Copying one forks the sequence.
 public:
  // Keeps only what the penalties in `params` will ask for. max_length is the most tokens there can be, prompt
  // included; 0 where nobody knows.
  TokenHistory(const SamplingParams& params, std::span<const int32_t> prompt, size_t max_length = 0);

  void Append(int32_t token);

  std::span<const int32_t> tokens() const { return tokens_; }
  size_t size() const { return tokens_.size(); }
  size_t prompt_length() const { return prompt_length_; }
  size_t new_tokens() const { return tokens_.size() - prompt_length_; }
  size_t max_length() const { return max_length_; }

  // Each token that stands in the history, by first appearance; empty where no penalty needs it.
  std::span<const TokenCount> counts() const { return counts_; }

  // Calls visit(token) for each token that once followed the last n - 1 tokens, n being no_repeat_ngram_size.
  template <class Visit>
  void ForEachRepeat(Visit visit) const {
    if (ngram_ == 1) {
      for (const auto& [token, count] : counts_) visit(token);
    } else if (ngram_ > 1 && tokens_.size() >= ngram_ && !ngram_heads_.empty()) {
      const size_t prefix = tokens_.size() - (ngram_ - 1);
      for (uint32_t at = ngram_heads_[NGramSlot(prefix)]; at != 0; at = ngram_next_[at - 1]) {
        if (SamePrefix(at - 1, prefix)) visit(tokens_[at - 1 + ngram_ - 1]);
      }
    }
  }

 private:
  void Count(int32_t token);
  void AddNGram(size_t start);
  size_t NGramSlot(size_t start) const;
  bool SamePrefix(size_t a, size_t b) const;

  std::vector<int32_t> tokens_;
  size_t prompt_length_;
  size_t max_length_;

  bool counting_;
  std::vector<TokenCount> counts_;
  std::vector<uint32_t> count_slots_;  // open addressing: 1 + index into counts_, or 0; a power of two, half full

  // Windows of n tokens by the hash of their first n - 1: heads, and the one before with the same hash; 1 + start.
  size_t ngram_;
  std::vector<uint32_t> ngram_heads_;
  std::vector<uint32_t> ngram_next_;
};

}  // namespace bothy
