// Groups of 32 on the 16 uneven levels of kIQ4Values, whose scale is searched for.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/half.h"
#include "tensor/quant/lanes.h"
#include "tensor/quant/quantize_block.h"

namespace bothy {
namespace {

constexpr auto kLowest = static_cast<float>(kIQ4Values[0]);

// The level nearest to v (the upper of two equally near) depends on floor(2 v) alone, because the points half-way
// between levels are halves. The tables go from -128 to 127.5, past both ends.
constexpr size_t kTable = 512;
constexpr auto kNearestLevel = [] {
  std::array<uint8_t, kTable> table{};
  for (size_t i = 0; i < kTable; i++) {
    const int twice = static_cast<int>(i) - 256;
    for (size_t l = 0; l < 15; l++) table[i] += twice >= kIQ4Values[l] + kIQ4Values[l + 1] ? 1 : 0;
  }
  return table;
}();
constexpr auto kNearestValue = [] {
  std::array<float, kTable> table{};
  for (size_t i = 0; i < kTable; i++) table[i] = kIQ4Values[kNearestLevel[i]];
  return table;
}();

// floor(2 v) as an index into the tables; what is no number counts as the greatest.
LaneMask TableIndex(Lanes v) {
  const Lanes twice = v + v;
  const Lanes inside = Clamp(Select(twice < 255.0f, twice, AllLanes(255.0f)), -256.0f, 255.0f);
  const LaneMask whole = __builtin_convertvector(inside, LaneMask);  // towards zero
  const LaneMask above = __builtin_convertvector(whole, Lanes) > inside;
  return whole + above + 256;
}

Lanes NearestValue(Lanes v) {
  const LaneMask i = TableIndex(v);
  const auto value = [&](size_t lane) { return kNearestValue[static_cast<size_t>(i[lane])]; };
  return Lanes{value(0), value(1), value(2), value(3)};
}

// Of 16 ways to round, the scale that explains most of the group; elements weigh as their squares. 0 for no weights.
Lanes SearchScale(const Lanes (&x)[32]) {
  const Lanes extreme = Extreme(x);
  Lanes scale{}, best{};
  const auto attempt = [&](Lanes inverse, bool first) {
    Lanes sum_qx{}, sum_q2{};
    for (size_t i = 0; i < 32; i++) {
      const Lanes q = NearestValue(inverse * x[i]);
      const Lanes weighted = x[i] * x[i] * q;
      sum_qx += weighted * x[i];
      sum_q2 += weighted * q;
    }
    const LaneMask some = sum_q2 > 0.0f;
    const Lanes fit = Select(some, sum_qx / sum_q2, Lanes{});
    const LaneMask better = first ? ~LaneMask{} : some & (sum_qx * sum_qx > best * sum_q2);
    scale = Select(better, fit, scale);
    best = Select(better, fit * sum_qx, best);
  };
  attempt(1.0f / (-extreme / kLowest), true);
  for (int t = -7; t <= 7; t++) attempt((static_cast<float>(t) + kLowest) / extreme, false);
  return Select(Abs(extreme) < kNothing, Lanes{}, scale);
}

// 32 elements as nibbles of 16 bytes.
void RoundGroup(const float* x, float scale, uint8_t* out) {
  const float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
  std::array<uint8_t, 32> q;
  for (size_t i = 0; i < 32; i += kLanes) {
    const LaneMask index = TableIndex(Lanes{x[i], x[i + 1], x[i + 2], x[i + 3]} * inverse);
    for (size_t lane = 0; lane < kLanes; lane++) q[i + lane] = kNearestLevel[static_cast<size_t>(index[lane])];
  }
  for (size_t i = 0; i < 16; i++) out[i] = static_cast<uint8_t>(q[i] | q[16 + i] << 4);
}

}  // namespace

void QuantizeBlocks(const float* x, BlockIQ4_NL (&out)[4]) {
  Lanes lanes[32];
  Transpose(x, lanes);
  const Lanes scale = SearchScale(lanes);
  for (size_t b = 0; b < kLanes; b++) {
    out[b].d = ToF16(scale[b]);
    RoundGroup(x + 32 * b, scale[b], out[b].qs);
  }
}

void QuantizeBlockOnce(const float* x, BlockIQ4_NL& out) {
  std::array<float, 32> values;
  std::copy_n(x, 32, values.begin());
  const float extreme = Extreme(values);
  RoundGroup(x, std::fabs(extreme) < kNothing ? 0.0f : extreme / kLowest, out.qs);
  float sum_qx = 0.0f;
  float sum_q2 = 0.0f;
  for (size_t i = 0; i < 32; i++) {
    const auto q = static_cast<float>(kIQ4Values[i < 16 ? out.qs[i] & 15 : out.qs[i - 16] >> 4]);
    const float weighted = x[i] * x[i] * q;
    sum_qx += weighted * x[i];
    sum_q2 += weighted * q;
  }
  out.d = ToF16(sum_q2 > 0.0f ? sum_qx / sum_q2 : 0.0f);
}

void QuantizeBlock(const float* x, BlockIQ4_XS& out) {
  std::array<float, 8> found;
  for (size_t g = 0; g < 8; g += kLanes) {
    Lanes lanes[32];
    Transpose(x + 32 * g, lanes);
    Store(SearchScale(lanes), &found[g]);
  }
  const float d = -Extreme(found) / 32.0f;
  const float inverse = d != 0.0f ? 1.0f / d : 0.0f;
  out.d = ToF16(d);
  std::array<int8_t, 8> scales;
  for (size_t g = 0; g < 8; g++) {
    scales[g] = static_cast<int8_t>(std::clamp(NearestInt(inverse * found[g]), -32, 31));
    // With d as it was before its rounding to f16: so has the reference.
    RoundGroup(x + 32 * g, d * static_cast<float>(scales[g]), out.qs + 16 * g);
  }
  PackScales(scales, out);
}

}  // namespace bothy
