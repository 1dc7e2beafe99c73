#include "runtime/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bothy {
namespace {

// A draw from all tokens: finds the chunk by its sum and goes through that one only.
Result<int32_t> DrawUncut(std::span<const float> logits, double temperature, double uniform,
                          std::vector<double>& chunk_sums) {
  const Maximum maximum = TRY(FindLikeliest(logits));
  const float scale = TemperatureScale(temperature);
  const double total = SumExponentialsByChunk(logits, maximum.value, scale, chunk_sums);
  double left = uniform * total;
  size_t chunk = 0;
  while (chunk + 1 < chunk_sums.size() && left >= chunk_sums[chunk]) left -= chunk_sums[chunk++];
  size_t last = maximum.index;
  const size_t begin = chunk * kScanChunk, end = std::min(begin + kScanChunk, logits.size());
  for (size_t i = begin; i < end; i++) {
    const auto weight = static_cast<double>(ExpNonPositive((logits[i] - maximum.value) * scale));
    if (weight <= 0) continue;
    last = i;
    left -= weight;
    if (left < 0) break;
  }
  return static_cast<int32_t>(last);
}

}  // namespace

Sampler::Sampler(SamplingParams params, LogitsProcessors processors, size_t vocabulary)
    : params_(std::move(params)), processors_(std::move(processors)), vocabulary_(vocabulary) {}

Result<Sampler> Sampler::Create(SamplingParams params, size_t vocabulary) {
  CHECK(vocabulary > 0);
  auto processors = TRY(LogitsProcessors::Create(params, vocabulary));
  return Sampler(std::move(params), std::move(processors), vocabulary);
}

bool Sampler::Cuts() const {
  return params_.top_h || (params_.top_k > 0 && static_cast<size_t>(params_.top_k) < vocabulary_) ||
         params_.top_p < 1 || params_.min_p || params_.typical_p < 1 || params_.epsilon_cutoff > 0 ||
         params_.eta_cutoff > 0;
}

std::span<const float> Sampler::Processed(std::span<const float> logits, const TokenHistory& history,
                                          SamplerScratch& scratch) const {
  CHECK(logits.size() == vocabulary_);
  if (processors_.idle()) return logits;
  scratch.logits.assign(logits.begin(), logits.end());
  processors_.Apply(scratch.logits, history);
  return scratch.logits;
}

Result<int32_t> Sampler::Choose(std::span<const float> logits, const TokenHistory& history, uint64_t seed,
                                uint32_t sequence, SamplerScratch& scratch) const {
  const auto processed = Processed(logits, history, scratch);
  if (!params_.Samples()) return static_cast<int32_t>(TRY(FindLikeliest(processed)).index);
  const double uniform = UniformNumber({.seed = seed, .sequence = sequence, .position = history.size()});
  if (!Cuts()) return DrawUncut(processed, params_.temperature, uniform, scratch.chunk_sums);
  TRY(scratch.candidates.Select(processed, params_));
  return scratch.candidates.Draw(uniform);
}

Result<std::vector<TokenProbability>> Sampler::Distribution(std::span<const float> logits, const TokenHistory& history,
                                                            SamplerScratch& scratch) const {
  const auto processed = Processed(logits, history, scratch);
  std::vector<TokenProbability> distribution;
  if (!params_.Samples()) {
    distribution.push_back({static_cast<int32_t>(TRY(FindLikeliest(processed)).index), 1.0});
    return distribution;
  }
  TRY(scratch.candidates.Select(processed, params_));
  for (const auto& c : scratch.candidates.kept()) {
    if (c.weight > 0) {
      distribution.push_back({c.token, static_cast<double>(c.weight) / scratch.candidates.total()});
    }
  }
  return distribution;
}

Result<void> Sampler::Process(std::span<float> logits, const TokenHistory& history, size_t keep,
                              SamplerScratch& scratch) const {
  CHECK(logits.size() == vocabulary_);
  processors_.Apply(logits, history);
  if (params_.Samples()) {
    TRY(scratch.candidates.Select(logits, params_, keep));
    std::ranges::fill(logits, -std::numeric_limits<float>::infinity());
    for (const auto& c : scratch.candidates.kept()) {
      logits[static_cast<size_t>(c.token)] = static_cast<float>(static_cast<double>(c.logit) / params_.temperature);
    }
  }
  if (params_.renormalize_logits) {
    const Maximum maximum = TRY(FindLikeliest(logits));
    const auto shift = static_cast<float>(std::log(SumExponentials(logits, maximum.value, 1).sum)) + maximum.value;
    for (float& logit : logits) logit -= shift;
  }
  return {};
}

}  // namespace bothy
