// The tokens that are still in the race and their weights: what is left of a vocabulary after temperature and after the
// settings that cut the unlikely ones off, in generate()'s order:
//   temperature, top_h, top_k, top_p, min_p, typical_p, epsilon_cutoff, eta_cutoff.
// Which ones those settings keep equals transformers 5.23 up to rounding; among equal logits across a cut, where the
// reference leaves it to its sort, the lower ids stay. There is no sort of the vocabulary: a bound that keeps too much
// is found in one or two passes, and the exact cut among what is above it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/sampling/sampling_params.h"
#include "runtime/sampling/vocabulary_scan.h"

namespace bothy {

struct Candidate {
  int32_t token;
  float logit;   // as processed, before temperature
  float weight;  // e^((logit - the largest) / temperature): not yet divided by the sum
};

// The largest logit; NaN or plus infinity among them is kInternal, nothing but minus infinity kFailedPrecondition.
Result<Maximum> FindLikeliest(std::span<const float> logits);

// What logits are multiplied by.
float TemperatureScale(double temperature);

class Candidates {
 public:
  // Finds what `params` leaves of `logits` ([vocabulary], already processed). At least `keep` tokens stay where a cut
  // promises that (beam search asks for more than one). Minus infinity is never kept. Fails as FindLikeliest.
  Result<void> Select(std::span<const float> logits, const SamplingParams& params, size_t keep = 1);

  std::span<const Candidate> kept() const { return kept_; }  // by rising id, at least one
  double total() const { return total_; }                    // the sum of the kept weights

  // The token at `uniform` in [0, 1) of the way through the kept weights.
  int32_t Draw(double uniform) const;

 private:
  struct Ranked {  // in the order in which a cut takes tokens: by key, then by id
    double key;
    int32_t token;
    float weight;
  };

  void Gather(std::span<const float> logits, float cut);
  void GatherLikeliest(std::span<const float> logits, const SamplingParams& params, size_t keep);
  float SafeCut(const SamplingParams& params, size_t vocabulary, double entropy) const;
  void KeepTopH(double top_h);
  void KeepTopP(double top_p, size_t keep);
  void KeepTypical(double mass, double entropy, size_t keep);
  void KeepHeavy(double least_weight, size_t keep);
  double Entropy() const;
  size_t Reach(double mass, size_t keep);
  template <class Keep>
  void Filter(Keep keep);

  std::vector<Candidate> kept_;
  double total_ = 0;  // while a cut is made: of all that it chooses from, gathered or not
  float max_ = 0, scale_ = 1;
  std::vector<Ranked> ranked_;
  std::vector<float> scratch_;
};

}  // namespace bothy
