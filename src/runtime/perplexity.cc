#include "runtime/perplexity.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/sampling/log_probs.h"

namespace bothy {
namespace {
constexpr size_t kRowsAtOnce = 64;  // rows of logits that are held at once: 33 MB for a vocabulary of 128 k
}

Result<Perplexity> MeasurePerplexity(Engine& engine, std::span<const int32_t> tokens, std::optional<int32_t> bos,
                                     size_t chunks,
                                     const std::function<void(size_t done, size_t total, double so_far)>& progress,
                                     const std::atomic<bool>* cancel) {
  const size_t all = tokens.size() / kPerplexityWindow;
  if (all == 0) {
    return Fail(ErrorCode::kInvalidArgument, "the text has {} tokens; at least {} are needed", tokens.size(),
                kPerplexityWindow);
  }
  if (chunks == 0 || chunks > all) chunks = all;
  const size_t vocabulary = engine.info().vocabulary;
  std::vector<float> logits(kRowsAtOnce * vocabulary);
  SamplerScratch scratch;
  Perplexity result;
  double sum = 0, squares = 0;
  for (size_t chunk = 0; chunk < chunks; chunk++) {
    const auto begin = tokens.begin() + static_cast<ptrdiff_t>(chunk * kPerplexityWindow);
    std::vector<int32_t> window(begin, begin + static_cast<ptrdiff_t>(kPerplexityWindow));
    if (bos) window[0] = *bos;
    KvSequence sequence = engine.NewSequence();
    const std::span<const int32_t> all_tokens = window;
    const EngineInput first = {&sequence, all_tokens.first(kPerplexityWindow / 2), EngineInput::Want::kNone,
                               kPerplexityWindow};
    TRY(engine.Run({&first, 1}, nullptr, cancel));
    for (size_t at = kPerplexityWindow / 2; at < kPerplexityWindow; at += kRowsAtOnce) {
      const EngineInput part = {&sequence, all_tokens.subspan(at, kRowsAtOnce), EngineInput::Want::kAll,
                                kPerplexityWindow};
      TRY(engine.Run({&part, 1}, logits.data(), cancel));
      for (size_t i = 0; i < kRowsAtOnce && at + i + 1 < kPerplexityWindow; i++) {
        const auto row = std::span<const float>(logits).subspan(i * vocabulary, vocabulary);
        const LogProbs log_probs = TRY(ModelLogProbs(row, window[at + i + 1], 0, scratch));
        const double loss = -static_cast<double>(log_probs.chosen);
        sum += loss;
        squares += loss * loss;
        result.tokens++;
      }
    }
    result.chunks++;
    if (progress) progress(result.chunks, chunks, std::exp(sum / static_cast<double>(result.tokens)));
  }
  const auto n = static_cast<double>(result.tokens);
  const double mean = sum / n, variance = squares / n - mean * mean;
  result.perplexity = std::exp(mean);
  result.standard_error = variance > 0 ? std::sqrt(variance / (n - 1)) * result.perplexity : 0;
  return result;
}

}  // namespace bothy
