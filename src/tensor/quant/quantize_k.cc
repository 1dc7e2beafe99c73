// Super-blocks of 256: groups of 16 or 32 whose scales (and mins) are searched for, then quantized themselves.
//
// Megabytes of f32 a second on one core, beside ggml's loops over one group at a time: Q4_K 148 to 41, Q2_K 175 to 49,
// Q6_K 285 to 73.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/half.h"
#include "tensor/quant/lanes.h"
#include "tensor/quant/quantize_block.h"

namespace bothy {
namespace {

using Levels = std::array<uint8_t, kSuperBlock>;  // q of every element, from 0

// ---- Scale and min: x = scale * q - min, q from 0 to kMax (Q2_K, Q4_K, Q5_K) ----

// What is tried: `steps` + 1 scales from (kMax + first) / range on, `step` apart.
struct Tries {
  float first;
  float step;
  int steps;
};

template <size_t kGroups>
struct AffineGroups {
  std::array<float, kGroups> scale;
  std::array<float, kGroups> min;  // how far below 0: x = scale * q - min
  // q = inverse * (x - low) rounded is what the search found best.
  std::array<float, kGroups> inverse;
  std::array<float, kGroups> low;
};

// For each lane the scale and min of least weighted error (absolute, or squared). Each try rounds with a given scale
// and then takes the scale and min that fit those integers best in the least-squares sense; a fit that is better than
// all before also moves the min that later tries round with.
template <int kMax, bool kAbsolute, size_t kSize, size_t kGroups>
void SearchScaleAndMin(const Lanes (&x)[kSize], const Lanes (&weight)[kSize], Tries tries, size_t first_group,
                       AffineGroups<kGroups>& out) {
  Lanes min = x[0];
  Lanes max = x[0];
  Lanes sum_w = weight[0];
  Lanes sum_x = sum_w * x[0];
  for (size_t i = 1; i < kSize; i++) {
    min = Select(x[i] < min, x[i], min);
    max = Select(x[i] > max, x[i], max);
    sum_w += weight[i];
    sum_x += weight[i] * x[i];
  }
  min = Select(min > 0.0f, Lanes{}, min);
  const LaneMask flat = max == min;
  const Lanes flat_min = min;

  const auto error_of = [&](const Lanes(&q)[kSize], Lanes scale, Lanes low) {
    Lanes error{};
    for (size_t i = 0; i < kSize; i++) {
      const Lanes off = scale * q[i] + low - x[i];
      error += weight[i] * (kAbsolute ? Abs(off) : off * off);
    }
    return error;
  };

  Lanes q[kSize];
  Lanes best_inverse = static_cast<float>(kMax) / (max - min);
  Lanes best_low = min;
  Lanes scale = 1.0f / best_inverse;
  for (size_t i = 0; i < kSize; i++) q[i] = Clamp(Nearest(best_inverse * (x[i] - min)), 0.0f, kMax);
  Lanes best_error = error_of(q, scale, min);

  for (int t = 0; t <= tries.steps; t++) {
    const float levels = tries.first + tries.step * static_cast<float>(t) + static_cast<float>(kMax);
    const Lanes inverse = levels / (max - min);
    Lanes sum_l{}, sum_l2{}, sum_xl{};
    for (size_t i = 0; i < kSize; i++) {
      q[i] = Clamp(Nearest(inverse * (x[i] - min)), 0.0f, kMax);
      const Lanes weighted = weight[i] * q[i];
      sum_l += weighted;
      sum_l2 += weighted * q[i];
      sum_xl += weighted * x[i];
    }
    const Lanes determinant = sum_w * sum_l2 - sum_l * sum_l;
    Lanes new_scale = (sum_w * sum_xl - sum_x * sum_l) / determinant;
    Lanes new_min = (sum_l2 * sum_x - sum_l * sum_xl) / determinant;
    const LaneMask above = new_min > 0.0f;
    new_min = Select(above, Lanes{}, new_min);
    new_scale = Select(above, sum_xl / sum_l2, new_scale);
    const Lanes error = error_of(q, new_scale, new_min);
    const LaneMask better = (determinant > 0.0f) & (error < best_error);
    best_error = Select(better, error, best_error);
    best_inverse = Select(better, inverse, best_inverse);
    best_low = Select(better, min, best_low);
    scale = Select(better, new_scale, scale);
    min = Select(better, new_min, min);
  }

  // All equal, and not above 0: q is 0 and only the min speaks.
  Store(Select(flat, Lanes{}, scale), &out.scale[first_group]);
  Store(-Select(flat, flat_min, min), &out.min[first_group]);
  Store(Select(flat, Lanes{}, best_inverse), &out.inverse[first_group]);
  Store(Select(flat, Lanes{}, best_low), &out.low[first_group]);
}

// How a type stores what the search found.
template <size_t kGroups>
struct StoredGroups {
  uint16_t d;
  uint16_t dmin;
  std::array<uint8_t, kGroups> scale;
  std::array<uint8_t, kGroups> min;
};

// Scales and mins as integers up to kMaxScale, with an f16 factor each.
template <int kMaxScale, size_t kGroups>
StoredGroups<kGroups> StoreGroups(const AffineGroups<kGroups>& groups) {
  constexpr auto kTop = static_cast<float>(kMaxScale);
  float max_scale = 0.0f;
  float max_min = 0.0f;
  for (size_t g = 0; g < kGroups; g++) {
    max_scale = groups.scale[g] > max_scale ? groups.scale[g] : max_scale;
    max_min = groups.min[g] > max_min ? groups.min[g] : max_min;
  }
  const float inverse_scale = max_scale > 0.0f ? kTop / max_scale : 0.0f;
  const float inverse_min = max_min > 0.0f ? kTop / max_min : 0.0f;
  StoredGroups<kGroups> out;
  out.d = ToF16(max_scale / kTop);
  out.dmin = ToF16(max_min / kTop);
  for (size_t g = 0; g < kGroups; g++) {
    out.scale[g] = static_cast<uint8_t>(NearestInt(inverse_scale * groups.scale[g]));
    out.min[g] = static_cast<uint8_t>(NearestInt(inverse_min * groups.min[g]));
  }
  return out;
}

// q again, now with the scale and min that the block will be read with. Where the stored scale is 0 the value of q does
// not matter, and what the search had found is kept.
template <int kMax, size_t kGroups>
void RoundGroups(const float* x, const AffineGroups<kGroups>& found, const StoredGroups<kGroups>& stored, Levels& q) {
  constexpr size_t kSize = kSuperBlock / kGroups;
  const float d = FromF16(stored.d);
  const float dmin = FromF16(stored.dmin);
  for (size_t g = 0; g < kGroups; g++) {
    const float scale = d * static_cast<float>(stored.scale[g]);
    const float min = dmin * static_cast<float>(stored.min[g]);
    for (size_t i = g * kSize; i < (g + 1) * kSize; i++) {
      const float level = scale != 0.0f ? (x[i] + min) / scale : found.inverse[g] * (x[i] - found.low[g]);
      q[i] = static_cast<uint8_t>(std::clamp(NearestInt(level), 0, kMax));
    }
  }
}

// 8 groups of 32, weights that favour large elements: the group's root mean square + |x|.
AffineGroups<8> SearchGroupsOf32(const float* x, auto search) {
  AffineGroups<8> groups;
  for (size_t g = 0; g < 8; g += kLanes) {
    Lanes lanes[32];
    Lanes weight[32];
    Transpose(x + 32 * g, lanes);
    Lanes squares{};
    for (const Lanes& v : lanes) squares += v * v;
    for (size_t lane = 0; lane < kLanes; lane++) squares[lane] = std::sqrt(squares[lane] / 32.0f);
    for (size_t i = 0; i < 32; i++) weight[i] = squares + Abs(lanes[i]);
    search(lanes, weight, g, groups);
  }
  return groups;
}

// Q4_K and Q5_K, which differ in the number of levels and in what is tried: fills d, dmin and scales, returns q.
template <int kMax, class Block>
Levels QuantizeGroupsOf32(const float* x, Tries tries, Block& out) {
  const AffineGroups<8> found =
      SearchGroupsOf32(x, [&](const Lanes(&lanes)[32], const Lanes(&weight)[32], size_t g, AffineGroups<8>& groups) {
        SearchScaleAndMin<kMax, false>(lanes, weight, tries, g, groups);
      });
  StoredGroups<8> stored = StoreGroups<63>(found);
  for (size_t g = 0; g < 8; g++) {
    stored.scale[g] = std::min<uint8_t>(stored.scale[g], 63);
    stored.min[g] = std::min<uint8_t>(stored.min[g], 63);
  }
  out.d = stored.d;
  out.dmin = stored.dmin;
  PackScalesAndMins({stored.scale, stored.min}, out.scales);
  Levels q;
  RoundGroups<kMax>(x, found, stored, q);
  return q;
}

void PackNibbles(const Levels& q, uint8_t (&out)[128]) {
  for (size_t i = 0; i < 128; i++) {
    const size_t e = i / 32 * 64 + i % 32;
    out[i] = static_cast<uint8_t>((q[e] & 15) | q[e + 32] << 4);
  }
}

// The low two bits of q: Q2_K, Q3_K.
void PackPairs(const Levels& q, uint8_t (&out)[64]) {
  for (size_t i = 0; i < 64; i++) {
    const size_t e = i / 32 * 128 + i % 32;
    out[i] = static_cast<uint8_t>((q[e] & 3) | (q[e + 32] & 3) << 2 | (q[e + 64] & 3) << 4 | (q[e + 96] & 3) << 6);
  }
}

// Bit `bit` of q, eight elements 32 apart in a byte: Q3_K, Q5_K.
void PackBit(const Levels& q, int bit, uint8_t (&out)[32]) {
  for (size_t i = 0; i < 32; i++) {
    int bits = 0;
    for (size_t g = 0; g < 8; g++) bits |= (q[32 * g + i] >> bit & 1) << g;
    out[i] = static_cast<uint8_t>(bits);
  }
}

// ---- Scale alone: x = scale * q, q from -kMax to kMax - 1 (Q3_K, Q6_K) ----

struct SymmetricGroups {
  std::array<float, 16> scale;
  Levels q;  // + kMax; 0 in groups that count as all zeros
};

// Of 19 ways to round, the one whose best scale explains most of the group; elements weigh as their squares.
template <int kMax>
void SearchScale(const Lanes (&x)[16], size_t first_group, SymmetricGroups& out) {
  constexpr auto kTop = static_cast<float>(kMax);
  const Lanes extreme = Extreme(x);
  const LaneMask nothing = Abs(extreme) < kNothing;
  Lanes best_inverse{}, scale{}, best{};
  const auto attempt = [&](Lanes inverse, bool first) {
    Lanes sum_lx{}, sum_l2{};
    for (size_t i = 0; i < 16; i++) {
      const Lanes q = Clamp(Nearest(inverse * x[i]), -kTop, kTop - 1.0f);
      const Lanes weight = x[i] * x[i];
      sum_lx += weight * x[i] * q;
      sum_l2 += weight * q * q;
    }
    const LaneMask some = first ? sum_l2 != 0.0f : sum_l2 > 0.0f;
    const Lanes fit = Select(some, sum_lx / sum_l2, Lanes{});
    const LaneMask better = first ? ~LaneMask{} : some & (sum_lx * sum_lx > best * sum_l2);
    scale = Select(better, fit, scale);
    best = Select(better, fit * sum_lx, best);
    best_inverse = Select(better, inverse, best_inverse);
  };
  attempt(-kTop / extreme, true);
  for (int t = -9; t <= 9; t++) {
    if (t != 0) attempt(-(kTop + 0.1f * static_cast<float>(t)) / extreme, false);
  }
  Store(Select(nothing, Lanes{}, scale), &out.scale[first_group]);
  for (size_t i = 0; i < 16; i++) {
    const Lanes q = Select(nothing, Lanes{}, Clamp(Nearest(best_inverse * x[i]), -kTop, kTop - 1.0f) + kTop);
    for (size_t lane = 0; lane < kLanes; lane++) {
      out.q[16 * (first_group + lane) + i] = static_cast<uint8_t>(q[lane]);
    }
  }
}

// Starts from plain rounding and changes one element after the other to what fits the best scale of all the others,
// where that explains more of the group, until nothing changes, five rounds at most.
template <int kMax>
void RefineScale(const Lanes (&x)[16], size_t first_group, SymmetricGroups& out) {
  constexpr auto kTop = static_cast<float>(kMax);
  const Lanes extreme = Extreme(x);
  const LaneMask nothing = Abs(extreme) < kNothing;
  const Lanes inverse = -kTop / extreme;
  Lanes q[16];
  Lanes sum_lx{}, sum_l2{};
  for (size_t i = 0; i < 16; i++) {
    q[i] = Clamp(Nearest(inverse * x[i]), -kTop, kTop - 1.0f);
    const Lanes weight = x[i] * x[i];
    sum_lx += weight * x[i] * q[i];
    sum_l2 += weight * q[i] * q[i];
  }
  // A lane that is done changes nothing more in a further round.
  LaneMask changed = ~nothing;
  for (int round = 0; round < 5 && Any(changed); round++) {
    changed = LaneMask{};
    for (size_t i = 0; i < 16; i++) {
      const Lanes weight = x[i] * x[i];
      Lanes lx = sum_lx - weight * x[i] * q[i];
      Lanes l2 = sum_l2 - weight * q[i] * q[i];
      const LaneMask positive = lx > 0.0f;
      const Lanes new_q = Clamp(Nearest(x[i] * l2 / lx), -kTop, kTop - 1.0f);
      lx += weight * x[i] * new_q;
      l2 += weight * new_q * new_q;
      const LaneMask better =
          positive & (new_q != q[i]) & (l2 > 0.0f) & (lx * lx * sum_l2 > sum_lx * sum_lx * l2) & ~nothing;
      q[i] = Select(better, new_q, q[i]);
      sum_lx = Select(better, lx, sum_lx);
      sum_l2 = Select(better, l2, sum_l2);
      changed |= better;
    }
  }
  Store(Select(~nothing & (sum_l2 > 0.0f), sum_lx / sum_l2, Lanes{}), &out.scale[first_group]);
  for (size_t i = 0; i < 16; i++) {
    const Lanes stored = Select(nothing, Lanes{}, q[i] + kTop);
    for (size_t lane = 0; lane < kLanes; lane++) {
      out.q[16 * (first_group + lane) + i] = static_cast<uint8_t>(stored[lane]);
    }
  }
}

template <class Search>
SymmetricGroups SearchGroupsOf16(const float* x, Search search) {
  SymmetricGroups groups;
  for (size_t g = 0; g < 16; g += kLanes) {
    Lanes lanes[16];
    Transpose(x + 16 * g, lanes);
    search(lanes, g, groups);
  }
  return groups;
}

// q again, now with the scales that the block will be read with; kept where that is 0.
template <int kMax>
void RoundGroups(const float* x, float d, const auto& scales, Levels& q) {
  for (size_t g = 0; g < 16; g++) {
    const float scale = d * static_cast<float>(scales[g]);
    if (scale == 0.0f) continue;
    for (size_t i = 16 * g; i < 16 * (g + 1); i++) {
      q[i] = static_cast<uint8_t>(std::clamp(NearestInt(x[i] / scale), -kMax, kMax - 1) + kMax);
    }
  }
}

}  // namespace

void QuantizeBlock(const float* x, BlockQ2_K& out) {
  AffineGroups<16> found;
  for (size_t g = 0; g < 16; g += kLanes) {
    Lanes lanes[16];
    Lanes weight[16];
    Transpose(x + 16 * g, lanes);
    for (size_t i = 0; i < 16; i++) weight[i] = Abs(lanes[i]);
    SearchScaleAndMin<3, true>(lanes, weight, {.first = -0.5f, .step = 0.1f, .steps = 15}, g, found);
  }
  StoredGroups<16> stored = StoreGroups<15>(found);
  out.d = stored.d;
  out.dmin = stored.dmin;
  for (size_t g = 0; g < 16; g++) {
    out.scales[g] = static_cast<uint8_t>(stored.scale[g] | stored.min[g] << 4);
    stored.scale[g] = out.scales[g] & 15;
    stored.min[g] = out.scales[g] >> 4;
  }
  Levels q;
  RoundGroups<3>(x, found, stored, q);
  PackPairs(q, out.qs);
}

void QuantizeBlock(const float* x, BlockQ4_K& out) {
  PackNibbles(QuantizeGroupsOf32<15>(x, {.first = -1.0f, .step = 0.1f, .steps = 20}, out), out.qs);
}

void QuantizeBlock(const float* x, BlockQ5_K& out) {
  const Levels q = QuantizeGroupsOf32<31>(x, {.first = -0.5f, .step = 0.1f, .steps = 15}, out);
  PackNibbles(q, out.qs);
  PackBit(q, 4, out.qh);
}

void QuantizeBlock(const float* x, BlockQ3_K& out) {
  SymmetricGroups groups = SearchGroupsOf16(
      x, [](const Lanes(&lanes)[16], size_t g, SymmetricGroups& found) { RefineScale<4>(lanes, g, found); });
  const float extreme = Extreme(groups.scale);
  std::array<int8_t, 16> scales;
  scales.fill(-32);
  out.d = 0;
  if (extreme != 0.0f) {
    const float inverse = -32.0f / extreme;
    for (size_t g = 0; g < 16; g++) {
      // Through a byte, as the reference does it.
      const auto scale = static_cast<int8_t>(NearestInt(inverse * groups.scale[g]));
      scales[g] = std::clamp<int8_t>(scale, -32, 31);
    }
    out.d = ToF16(1.0f / inverse);
  }
  PackScales(scales, out);
  RoundGroups<4>(x, FromF16(out.d), scales, groups.q);
  PackPairs(groups.q, out.qs);
  PackBit(groups.q, 2, out.hmask);
}

void QuantizeBlock(const float* x, BlockQ6_K& out) {
  SymmetricGroups groups = SearchGroupsOf16(
      x, [](const Lanes(&lanes)[16], size_t g, SymmetricGroups& found) { SearchScale<32>(lanes, g, found); });
  const float extreme = Extreme(groups.scale);
  if (std::fabs(extreme) < kNothing) {
    out = {};
    return;
  }
  const float inverse = -128.0f / extreme;
  out.d = ToF16(1.0f / inverse);
  for (size_t g = 0; g < 16; g++) {
    out.scales[g] = static_cast<int8_t>(std::min(127, NearestInt(inverse * groups.scale[g])));
  }
  RoundGroups<32>(x, FromF16(out.d), out.scales, groups.q);
  const Levels& q = groups.q;
  for (size_t i = 0; i < 128; i++) {
    const size_t e = i / 64 * 128 + i % 64;
    out.ql[i] = static_cast<uint8_t>((q[e] & 15) | (q[e + 64] & 15) << 4);
  }
  for (size_t i = 0; i < 64; i++) {
    const size_t e = i / 32 * 128 + i % 32;
    out.qh[i] = static_cast<uint8_t>(q[e] >> 4 | q[e + 32] >> 4 << 2 | q[e + 64] >> 4 << 4 | q[e + 96] >> 4 << 6);
  }
}

}  // namespace bothy
