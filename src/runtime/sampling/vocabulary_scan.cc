#include "runtime/sampling/vocabulary_scan.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>

namespace bothy {
namespace {

// Accumulators side by side: four vectors of the baseline instruction set, one of AVX-512.
constexpr size_t kLanes = 16;
constexpr float kNegativeInfinity = -std::numeric_limits<float>::infinity();

struct ChunkSums {
  float sum = 0, weighted = 0;
};

// A chunk's lanes hold 16 additions each, so its sum is off by less than 16 half-ulps; chunks are added in f64.
template <bool kWeighted>
ChunkSums SumChunk(const float* values, size_t n, float shift, float scale) {
  std::array<float, kLanes> sums{}, weighted{};
  const auto add = [&](size_t lane, float value) {
    const float x = (value - shift) * scale;
    const float e = ExpNonPositive(x);
    sums[lane] += e;
    if constexpr (kWeighted) weighted[lane] += e > 0 ? e * x : 0.0f;
  };
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; lane++) add(lane, values[i + lane]);
  }
  for (size_t lane = 0; i + lane < n; lane++) add(lane, values[i + lane]);
  ChunkSums total;
  for (size_t lane = 0; lane < kLanes; lane++) {
    total.sum += sums[lane];
    if constexpr (kWeighted) total.weighted += weighted[lane];
  }
  return total;
}

}  // namespace

Maximum FindMaximum(std::span<const float> values) {
  std::array<float, kLanes> best;
  std::array<uint32_t, kLanes> nans{};
  best.fill(kNegativeInfinity);
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; lane++) {
      const float v = values[i + lane];
      best[lane] = v > best[lane] ? v : best[lane];
      nans[lane] |= v != v ? 1u : 0u;
    }
  }
  for (size_t lane = 0; i < values.size(); i++, lane++) {
    const float v = values[i];
    best[lane] = v > best[lane] ? v : best[lane];
    nans[lane] |= v != v ? 1u : 0u;
  }
  Maximum result{*std::ranges::max_element(best), std::ranges::find(nans, 1u) != nans.end()};
  const auto first = std::ranges::find(values, result.value);
  if (first != values.end()) result.index = static_cast<size_t>(first - values.begin());
  return result;
}

ExponentialSums SumExponentials(std::span<const float> values, float shift, float scale) {
  ExponentialSums total;
  for (size_t i = 0; i < values.size(); i += kScanChunk) {
    const auto [sum, weighted] =
        SumChunk<true>(values.data() + i, std::min(kScanChunk, values.size() - i), shift, scale);
    total.sum += static_cast<double>(sum);
    total.weighted += static_cast<double>(weighted);
  }
  return total;
}

double SumExponentialsByChunk(std::span<const float> values, float shift, float scale,
                              std::vector<double>& chunk_sums) {
  chunk_sums.clear();
  double total = 0;
  for (size_t i = 0; i < values.size(); i += kScanChunk) {
    const auto sum = static_cast<double>(
        SumChunk<false>(values.data() + i, std::min(kScanChunk, values.size() - i), shift, scale).sum);
    chunk_sums.push_back(sum);
    total += sum;
  }
  return total;
}

float KthLargest(std::span<const float> values, size_t k, std::vector<float>& scratch) {
  // Values above the best bound known so far are collected; when twice as many as can be wanted have come, a partial
  // selection raises the bound. Each selection is paid for by the k or more values that came since the last.
  const size_t room = std::max<size_t>(2 * k, 1024);
  scratch.clear();
  float bound = kNegativeInfinity;
  const auto raise = [&] {
    std::nth_element(scratch.begin(), scratch.begin() + static_cast<ptrdiff_t>(k - 1), scratch.end(), std::greater<>());
    scratch.resize(k);
    bound = scratch[k - 1];
  };
  constexpr size_t kBlock = 32;
  const auto take = [&](float v) {
    if (!(v > bound)) return;
    scratch.push_back(v);
    if (scratch.size() >= room) raise();
  };
  size_t i = 0;
  for (; i + kBlock <= values.size(); i += kBlock) {
    uint32_t above = 0;
    for (size_t j = 0; j < kBlock; j++) above += values[i + j] > bound ? 1u : 0u;
    if (above == 0) continue;
    for (size_t j = 0; j < kBlock; j++) take(values[i + j]);
  }
  for (; i < values.size(); i++) take(values[i]);
  if (scratch.size() < k) return bound;
  raise();
  return bound;
}

}  // namespace bothy
