#include "runtime/sampling/hypotheses.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace bothy {

void BestHypotheses::Add(Hypothesis hypothesis) {
  const auto at = std::ranges::upper_bound(kept_, hypothesis.score, std::greater<>(), &Hypothesis::score);
  kept_.insert(at, std::move(hypothesis));
  if (kept_.size() > size_) kept_.pop_back();
}

double MeanLogProb(const Hypothesis& hypothesis) {
  return LengthPenalized(hypothesis.sum_log_prob, hypothesis.tokens.size(), 1);
}

double LengthPenalized(double sum_log_prob, size_t length, double length_penalty) {
  return length == 0 ? 0 : sum_log_prob / std::pow(static_cast<double>(length), length_penalty);
}

}  // namespace bothy
