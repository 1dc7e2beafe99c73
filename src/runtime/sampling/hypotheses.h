// Finished texts of one request and the best of them: n of best_of, or what beam search returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bothy {

struct Hypothesis {
  std::vector<int32_t> tokens;  // without the prompt, with the end token
  double sum_log_prob = 0;
  double score = 0;  // what it is ranked by
};

class BestHypotheses {
 public:
  // Keeps the `size` best.
  explicit BestHypotheses(size_t size) : size_(size) {}

  // Of equal scores the one that came first is the better.
  void Add(Hypothesis hypothesis);

  bool full() const { return kept_.size() >= size_; }
  double worst_score() const { return kept_.back().score; }      // there is one
  const std::vector<Hypothesis>& kept() const { return kept_; }  // the best first

 private:
  size_t size_;
  std::vector<Hypothesis> kept_;
};

// The mean log-probability of a token: what best_of ranks by.
double MeanLogProb(const Hypothesis& hypothesis);

// What beam search ranks by: the sum of log-probabilities / length^length_penalty.
double LengthPenalized(double sum_log_prob, size_t length, double length_penalty);

}  // namespace bothy
