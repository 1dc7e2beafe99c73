#include "tensor/ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "base/half.h"
#include "tensor/isa.h"

namespace bothy {
namespace {

constexpr size_t kSizes[] = {1, 3, 8, 15, 16, 17, 64, 100, 576, 2048};

std::vector<float> RandomValues(size_t n, uint32_t seed, float scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& v : values) v = scale * normal(random);
  return values;
}

class Ops : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { UseIsa(GetParam()); }
  void TearDown() override { UseIsa(SupportedIsas().back()); }
};

// Half a unit in the last place, relative.
constexpr double kRounding = 0x1p-24;

TEST_P(Ops, RmsNormIsItsFormula) {
  for (const size_t n : kSizes) {
    const std::vector<float> x = RandomValues(n, 1), w = RandomValues(n, 2);
    std::vector<float> out(n, 99);
    RmsNorm(x.data(), w.data(), 1e-5f, out.data(), n);
    double squares = 0;
    for (const float v : x) squares += static_cast<double>(v) * static_cast<double>(v);
    const double scale = 1 / std::sqrt(squares / static_cast<double>(n) + 1e-5);
    for (size_t i = 0; i < n; i++) {
      const double want = static_cast<double>(x[i]) * scale * static_cast<double>(w[i]);
      // A sum of n squares, all positive, is off by n roundings at most; its root by half as much; then five more.
      EXPECT_NEAR(out[i], want, (static_cast<double>(n) / 2 + 6) * kRounding * std::abs(want)) << n;
    }
  }
}

TEST_P(Ops, LayerNormIsItsFormula) {
  for (const size_t n : kSizes) {
    const std::vector<float> x = RandomValues(n, 1), w = RandomValues(n, 2), b = RandomValues(n, 3);
    std::vector<float> out(n, 99);
    LayerNorm(x.data(), w.data(), b.data(), 1e-5f, out.data(), n);
    double mean = 0, squares = 0;
    for (const float v : x) mean += static_cast<double>(v) / static_cast<double>(n);
    for (const float v : x) squares += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
    const double scale = 1 / std::sqrt(squares / static_cast<double>(n) + 1e-5);
    for (size_t i = 0; i < n; i++) {
      const double want =
          (static_cast<double>(x[i]) - mean) * scale * static_cast<double>(w[i]) + static_cast<double>(b[i]);
      // The mean is off by up to n roundings of values of about 1, times the scale (300 where one value is all there
      // is).
      const double bound =
          (static_cast<double>(n) + 16) * kRounding * (4 + scale) * (1 + std::abs(static_cast<double>(w[i])));
      EXPECT_NEAR(out[i], want, bound) << n;
    }
  }
}

TEST_P(Ops, SwiGluIsItsFormulaAtTheEdgesToo) {
  for (const size_t n : kSizes) {
    std::vector<float> gate = RandomValues(n, 1, 5), up = RandomValues(n, 2), out(n, 99);
    gate[0] = -200;
    if (n > 2) gate[n - 1] = 90;
    if (n > 2) gate[1] = 0;
    SwiGlu(gate.data(), up.data(), out.data(), n);
    for (size_t i = 0; i < n; i++) {
      const double g = static_cast<double>(gate[i]);
      const double want = g / (1 + std::exp(-g)) * static_cast<double>(up[i]);
      // Below -88 what is left is less than 1e-35. Highway's exp is within 4 units in the last place; the argument's
      // rounding adds |g| more.
      EXPECT_NEAR(out[i], want, (16 + std::abs(g)) * kRounding * std::abs(want) + 1e-35) << n << " gate " << g;
    }
  }
}

TEST_P(Ops, GeluAndItsTanhFormAreTheirFormulas) {
  for (const size_t n : kSizes) {
    const std::vector<float> x = RandomValues(n, 1, 3);
    std::vector<float> tanh_form = x, exact = x;
    GeluTanh(tanh_form.data(), n);
    Gelu(exact.data(), n);
    for (size_t i = 0; i < n; i++) {
      const double v = static_cast<double>(x[i]);
      const double inner = std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v);
      EXPECT_NEAR(tanh_form[i], 0.5 * v * (1 + std::tanh(inner)), 64 * kRounding * (std::abs(v) + 1)) << v;
      EXPECT_NEAR(exact[i], 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))), 8 * kRounding * (std::abs(v) + 1)) << v;
    }
  }
}

TEST_P(Ops, AddAddsAndRotateHalfRotates) {
  for (const size_t n : kSizes) {
    const std::vector<float> x = RandomValues(2 * n, 1), y = RandomValues(2 * n, 2), angle = RandomValues(n, 3);
    std::vector<float> sum = x, turned = x, cosines(n), sines(n);
    Add(sum.data(), y.data(), 2 * n);
    for (size_t i = 0; i < 2 * n; i++) EXPECT_EQ(sum[i], x[i] + y[i]);
    for (size_t i = 0; i < n; i++) {
      cosines[i] = std::cos(angle[i]);
      sines[i] = std::sin(angle[i]);
    }
    RotateHalf(turned.data(), cosines.data(), sines.data(), n);
    for (size_t i = 0; i < n; i++) {
      const double a = static_cast<double>(x[i]), b = static_cast<double>(x[i + n]);
      const double c = static_cast<double>(cosines[i]), s = static_cast<double>(sines[i]);
      EXPECT_NEAR(turned[i], a * c - b * s, 3 * kRounding * (std::abs(a) + std::abs(b)));
      EXPECT_NEAR(turned[i + n], b * c + a * s, 3 * kRounding * (std::abs(a) + std::abs(b)));
    }
  }
}

TEST_P(Ops, QuantizedActivationsAreWithinHalfAStepAndTheirSumsAreExact) {
  for (const float scale : {1.0f, 1e-30f, 1e30f, 0.0f}) {
    const std::vector<float> x = RandomValues(320, 4, scale);
    std::vector<ActivationBlock> blocks(10);
    QuantizeActivations(x.data(), x.size(), blocks.data());
    for (size_t b = 0; b < blocks.size(); b++) {
      const ActivationBlock& block = blocks[b];
      int sums[2] = {};
      for (size_t i = 0; i < 32; i++) {
        sums[i / 16] += block.q[i];
        EXPECT_LE(std::abs(block.q[i]), 127);
        const double back = static_cast<double>(block.q[i]) * static_cast<double>(block.scale);
        EXPECT_NEAR(back, static_cast<double>(x[b * 32 + i]), 0.5001 * static_cast<double>(block.scale));
      }
      EXPECT_EQ(block.negative_sum[0], -sums[0]);
      EXPECT_EQ(block.negative_sum[1], -sums[1]);
      EXPECT_EQ(block.negative_sum[2], -sums[0] - sums[1]);
      EXPECT_EQ(block.sum[2], block.scale * static_cast<float>(sums[0] + sums[1]));
    }
  }
}

// Every finite f16, and what lies halfway between two and just beside that.
TEST_P(Ops, ToFiniteF16RoundsToTheNearestAndOfTwoToTheEven) {
  std::vector<float> x;
  std::vector<uint16_t> want;
  const auto add = [&](float value, uint16_t half) {
    x.push_back(value), want.push_back(half);
    x.push_back(-value), want.push_back(static_cast<uint16_t>(half | 0x8000u));
  };
  for (uint16_t half = 0; half < 0x7c00; half++) {
    const float value = FromF16(half);
    add(value, half);
    if (half == 0x7bff) break;
    const uint16_t next = half + 1;
    const float middle = (value + FromF16(next)) / 2;  // exact: one bit more than an f16
    add(middle, half % 2 == 0 ? half : next);
    add(std::nextafter(middle, 0.0f), half);
    add(std::nextafter(middle, 1e9f), next);
  }
  for (const float value : {65505.0f, 65519.9f, 65520.0f, 1e5f, 3e38f, INFINITY}) add(value, 0x7bff);
  std::vector<uint16_t> got(x.size());
  ToFiniteF16(x.data(), got.data(), x.size());
  EXPECT_EQ(got, want);
  for (const size_t n : {1u, 2u, 3u, 5u, 15u, 17u, 33u}) {  // writes no more than it should
    std::vector<uint16_t> part(n + 1, 0x1234);
    ToFiniteF16(x.data() + 100, part.data(), n);
    EXPECT_TRUE(std::equal(part.begin(), part.end() - 1, want.begin() + 100));
    EXPECT_EQ(part[n], 0x1234);
  }
  const float nan = NAN;
  ToFiniteF16(&nan, got.data(), 1);
  EXPECT_TRUE(std::isnan(FromF16(got[0])));
}

INSTANTIATE_TEST_SUITE_P(Isa, Ops, testing::ValuesIn(SupportedIsas()),
                         [](const auto& info) { return std::string(IsaName(info.param)); });

}  // namespace
}  // namespace bothy
