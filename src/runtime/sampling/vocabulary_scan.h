// Passes over one value for every token of a vocabulary: maximum, sum of exponentials, the k-th largest, values above a
// cut. Additions have one fixed order, whatever the compiler makes of them, so every machine gets the same sums.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bothy {

// e^x for x <= 0 within 1 ulp or so; 0 below -87, where f32 runs out of normal numbers. Without branches, so that loops
// over it become vector code. The polynomial is a least-maximum fit of (e^r - 1 - r) / r^2 on |r| <= ln(2)/2, 3e-9 off.
inline float ExpNonPositive(float x) {
  const float clamped = x < -87.0f ? -87.0f : x;
  const float shifted = clamped * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: rounds to an integer in the low bits
  const float n = shifted - 12582912.0f;
  const float r = (clamped - n * 0.693359375f) - n * -0.00021219444f;  // ln(2) in two parts, n * the first is exact
  const float q = (((0.00138145988f * r + 0.00836871658f) * r + 0.041668389f) * r + 0.166665211f) * r + 0.49999994f;
  const float y = (q * (r * r) + r) + 1.0f;
  const uint32_t scaled = std::bit_cast<uint32_t>(y) + (std::bit_cast<uint32_t>(shifted) << 23);
  return x < -87.0f ? 0.0f : std::bit_cast<float>(scaled);
}

struct Maximum {
  float value;       // minus infinity where there is nothing else
  bool any_nan;      // then `value` is the largest of the others
  size_t index = 0;  // the first place where it stands; 0 where there is none
};
Maximum FindMaximum(std::span<const float> values);

// Sums of e^x and of e^x * x over x = (value - shift) * scale; shift is at least the largest value, scale > 0, values
// of minus infinity count nothing.
struct ExponentialSums {
  double sum = 0;
  double weighted = 0;
};
ExponentialSums SumExponentials(std::span<const float> values, float shift, float scale);

// The same, without the second sum, and the sums of each kScanChunk values in chunk_sums.
inline constexpr size_t kScanChunk = 256;
double SumExponentialsByChunk(std::span<const float> values, float shift, float scale, std::vector<double>& chunk_sums);

// The k-th largest value, counted with repetition; minus infinity where there are fewer than k. k >= 1. Takes one pass
// where values come in no particular order, and never more than a few. `scratch` is overwritten.
float KthLargest(std::span<const float> values, size_t k, std::vector<float>& scratch);

// Calls visit(index) for each value >= cut, by rising index.
template <class Visit>
void ForEachAtLeast(std::span<const float> values, float cut, Visit visit) {
  constexpr size_t kBlock = 32;
  size_t i = 0;
  for (; i + kBlock <= values.size(); i += kBlock) {
    uint32_t found = 0;
    for (size_t j = 0; j < kBlock; j++) found += values[i + j] >= cut ? 1u : 0u;
    if (found == 0) continue;
    for (size_t j = 0; j < kBlock; j++) {
      if (values[i + j] >= cut) visit(i + j);
    }
  }
  for (; i < values.size(); i++) {
    if (values[i] >= cut) visit(i);
  }
}

}  // namespace bothy
