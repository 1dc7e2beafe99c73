#include "runtime/sampling/log_probs.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bothy {
namespace {

void KeepLikeliest(std::vector<TokenLogProb>& tokens, size_t count) {
  const auto likelier = [](const TokenLogProb& a, const TokenLogProb& b) {
    return a.log_prob != b.log_prob ? a.log_prob > b.log_prob : a.token < b.token;
  };
  const size_t n = std::min(count, tokens.size());
  std::ranges::partial_sort(tokens, tokens.begin() + static_cast<ptrdiff_t>(n), likelier);
  tokens.resize(n);
}

}  // namespace

Result<LogProbs> ModelLogProbs(std::span<const float> logits, int32_t chosen, size_t top, SamplerScratch& scratch) {
  CHECK(chosen >= 0 && static_cast<size_t>(chosen) < logits.size());
  const float max = TRY(FindLikeliest(logits)).value;
  const double log_sum = static_cast<double>(max) + std::log(SumExponentials(logits, max, 1).sum);
  const auto log_prob = [&](size_t i) { return static_cast<float>(static_cast<double>(logits[i]) - log_sum); };
  LogProbs result;
  result.chosen = log_prob(static_cast<size_t>(chosen));
  if (top == 0) return result;
  const float least = std::max(KthLargest(logits, top, scratch.logits), std::numeric_limits<float>::lowest());
  ForEachAtLeast(logits, least, [&](size_t i) { result.top.push_back({static_cast<int32_t>(i), log_prob(i)}); });
  KeepLikeliest(result.top, top);
  return result;
}

LogProbs ProcessedLogProbs(std::span<const TokenProbability> distribution, int32_t chosen, size_t top) {
  LogProbs result;
  result.chosen = -std::numeric_limits<float>::infinity();
  for (const auto& [token, probability] : distribution) {
    const auto log_prob = static_cast<float>(std::log(probability));
    if (token == chosen) result.chosen = log_prob;
    if (top > 0) result.top.push_back({token, log_prob});
  }
  KeepLikeliest(result.top, top);
  return result;
}

}  // namespace bothy
