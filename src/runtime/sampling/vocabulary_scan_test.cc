#include "runtime/sampling/vocabulary_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace bothy {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> RandomValues(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 4);
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

TEST(VocabularyScan, TheExponentialIsWithinOneAndAHalfUlps) {
  double worst = 0;
  for (float x = 0; x > -87; x = std::nextafter(x - 1e-4f, -kInfinity)) {
    const double exact = std::exp(static_cast<double>(x));
    worst = std::max(worst, std::fabs(static_cast<double>(ExpNonPositive(x)) - exact) / exact);
  }
  EXPECT_LT(worst, 1.5 * 0x1p-23);
  EXPECT_EQ(ExpNonPositive(0), 1.0f);
  EXPECT_EQ(ExpNonPositive(-87.5f), 0.0f);
  EXPECT_EQ(ExpNonPositive(-kInfinity), 0.0f);
}

TEST(VocabularyScan, SumsAreThoseOfDoublePrecision) {
  for (const size_t n : {1u, 15u, 16u, 257u, 5000u}) {
    auto values = RandomValues(n, 1);
    if (n > 3) values[2] = -kInfinity;
    const float max = *std::ranges::max_element(values);
    double sum = 0, weighted = 0;
    for (const float v : values) {
      const double x = (static_cast<double>(v) - static_cast<double>(max)) * 0.7;
      sum += std::exp(x);
      weighted += v == -kInfinity ? 0 : std::exp(x) * x;
    }
    const auto got = SumExponentials(values, max, 0.7f);
    // Each exponential is off by 1.5 ulps and by the rounding of its argument (at most 87 half-ulps of 32).
    EXPECT_NEAR(got.sum, sum, sum * 4e-6) << n;
    EXPECT_NEAR(got.weighted, weighted, std::fabs(weighted) * 4e-6) << n;
    std::vector<double> chunks;
    EXPECT_EQ(SumExponentialsByChunk(values, max, 0.7f, chunks), got.sum) << n;
    EXPECT_EQ(chunks.size(), (n + kScanChunk - 1) / kScanChunk);
  }
}

TEST(VocabularyScan, TheMaximumIsTheFirstOfEqualOnesAndNanIsSeen) {
  for (const size_t n : {1u, 7u, 16u, 33u, 1000u}) {
    for (const size_t at : {size_t{0}, n / 2, n - 1}) {
      std::vector<float> values(n, -kInfinity);
      values[at] = 3;
      values[n - 1] = 3;
      EXPECT_EQ(FindMaximum(values).value, 3.0f);
      EXPECT_EQ(FindMaximum(values).index, at);
      EXPECT_FALSE(FindMaximum(values).any_nan);
      values[at] = std::numeric_limits<float>::quiet_NaN();
      EXPECT_TRUE(FindMaximum(values).any_nan);
    }
  }
}

TEST(VocabularyScan, TheKthLargestIsThatOfASort) {
  std::vector<float> scratch;
  for (const size_t n : {1u, 100u, 5000u}) {
    auto random = RandomValues(n, 2);
    auto rising = random, repeated = random;
    std::ranges::sort(rising);
    for (float& v : repeated) v = std::round(v);
    for (const auto& values : {random, rising, repeated}) {
      auto sorted = values;
      std::ranges::sort(sorted, std::greater<>());
      for (size_t k = 1; k <= n; k = k * 3 + 1)
        EXPECT_EQ(KthLargest(values, k, scratch), sorted[k - 1]) << n << " " << k;
      EXPECT_EQ(KthLargest(values, n, scratch), sorted[n - 1]);
      EXPECT_EQ(KthLargest(values, n + 1, scratch), -kInfinity);
    }
  }
}

TEST(VocabularyScan, VisitsWhatIsNotBelowTheCutInOrder) {
  const auto values = RandomValues(1003, 3);
  std::vector<size_t> expected, visited;
  for (size_t i = 0; i < values.size(); i++) {
    if (values[i] >= values[500]) expected.push_back(i);
  }
  ForEachAtLeast(values, values[500], [&](size_t i) { visited.push_back(i); });
  EXPECT_EQ(visited, expected);
}

}  // namespace
}  // namespace bothy
