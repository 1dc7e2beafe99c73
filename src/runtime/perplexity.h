// Perplexity of a text, as llama.cpp's llama-perplexity defines it, so that numbers can be compared.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "runtime/engine.h"

namespace bothy {

struct Perplexity {
  double perplexity = 0;      // exp of the mean negative log-likelihood
  double standard_error = 0;  // of the perplexity, from the spread of the tokens' log-likelihoods
  size_t chunks = 0;
  size_t tokens = 0;  // that were counted
};

inline constexpr size_t kPerplexityWindow = 512;

// The text's tokens are cut into windows of 512, each run alone; of each the second half is counted, so that every
// counted token has at least 256 before it. Where the model wants a beginning token, it replaces the first of each
// window. `chunks` limits the windows; 0: all. kInvalidArgument for a text of less than one window.
Result<Perplexity> MeasurePerplexity(Engine& engine, std::span<const int32_t> tokens, std::optional<int32_t> bos,
                                     size_t chunks,
                                     const std::function<void(size_t done, size_t total, double so_far)>& progress = {},
                                     const std::atomic<bool>* cancel = nullptr);

}  // namespace bothy
