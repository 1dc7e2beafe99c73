// Blocks of 32 whose scale comes straight from their extremes.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/half.h"
#include "tensor/quant/quantize_block.h"

namespace bothy {
namespace {

// A scale below 2^-128, of which nothing is left as f16, has no finite inverse: such a block is all zeros. (What bits
// its q have is left open by the reference, which converts infinities to integers there.)
float InverseOrZero(float scale) {
  const float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
  return std::isfinite(inverse) ? inverse : 0.0f;
}

// The value of greatest magnitude, the first of equals.
float ExtremeOf(const float* x) {
  float greatest = 0.0f;
  for (size_t i = 0; i < kSmallBlock; i++) greatest = std::max(greatest, std::fabs(x[i]));
  for (size_t i = 0; i < kSmallBlock; i++) {
    if (std::fabs(x[i]) == greatest) return x[i] == 0.0f ? 0.0f : x[i];
  }
  return 0.0f;
}

// The comparison is made before the conversion, and so that no number counts as the greatest level: a range that
// overflows gives one, and an infinite scale with it, which the caller refuses.
template <int kLevels>
uint8_t Level(float v) {
  return static_cast<uint8_t>(std::min(static_cast<float>(kLevels - 1), v));
}

// q = x * inverse rounded, around the middle level, so that the extreme gets level 0.
template <int kLevels>
std::array<uint8_t, kSmallBlock> RoundAroundMiddle(const float* x, float scale) {
  const float inverse = InverseOrZero(scale);
  const float offset = inverse == 0.0f && scale != 0.0f ? 0.0f : static_cast<float>(kLevels / 2) + 0.5f;
  std::array<uint8_t, kSmallBlock> q;
  for (size_t i = 0; i < kSmallBlock; i++) {
    q[i] = Level<kLevels>(x[i] * inverse + offset);
  }
  return q;
}

struct MinAndScale {
  float min;
  float scale;
};

template <int kLevels>
MinAndScale RangeOf(const float* x) {
  float min = x[0];
  float max = x[0];
  for (size_t i = 1; i < kSmallBlock; i++) {
    min = x[i] < min ? x[i] : min;
    max = x[i] > max ? x[i] : max;
  }
  return {min, (max - min) / static_cast<float>(kLevels - 1)};
}

template <int kLevels>
std::array<uint8_t, kSmallBlock> RoundAboveMin(const float* x, MinAndScale range) {
  const float inverse = InverseOrZero(range.scale);
  std::array<uint8_t, kSmallBlock> q;
  for (size_t i = 0; i < kSmallBlock; i++) {
    q[i] = Level<kLevels>((x[i] - range.min) * inverse + 0.5f);
  }
  return q;
}

void PackNibbles(const std::array<uint8_t, kSmallBlock>& q, uint8_t (&out)[16]) {
  for (size_t i = 0; i < 16; i++) out[i] = static_cast<uint8_t>((q[i] & 15) | q[16 + i] << 4);
}

void PackFifthBits(const std::array<uint8_t, kSmallBlock>& q, uint8_t (&out)[4]) {
  uint32_t bits = 0;
  for (size_t i = 0; i < kSmallBlock; i++) bits |= static_cast<uint32_t>(q[i] >> 4 & 1) << i;
  std::memcpy(out, &bits, sizeof(bits));
}

}  // namespace

void QuantizeBlock(const float* x, BlockQ4_0& out) {
  const float scale = ExtremeOf(x) / -8.0f;
  out.d = ToF16(scale);
  PackNibbles(RoundAroundMiddle<16>(x, scale), out.qs);
}

void QuantizeBlock(const float* x, BlockQ4_1& out) {
  const MinAndScale range = RangeOf<16>(x);
  out.d = ToF16(range.scale);
  out.m = ToF16(range.min);
  PackNibbles(RoundAboveMin<16>(x, range), out.qs);
}

void QuantizeBlock(const float* x, BlockQ5_0& out) {
  const float scale = ExtremeOf(x) / -16.0f;
  out.d = ToF16(scale);
  const auto q = RoundAroundMiddle<32>(x, scale);
  PackNibbles(q, out.qs);
  PackFifthBits(q, out.qh);
}

void QuantizeBlock(const float* x, BlockQ5_1& out) {
  const MinAndScale range = RangeOf<32>(x);
  out.d = ToF16(range.scale);
  out.m = ToF16(range.min);
  const auto q = RoundAboveMin<32>(x, range);
  PackNibbles(q, out.qs);
  PackFifthBits(q, out.qh);
}

void QuantizeBlock(const float* x, BlockQ8_0& out) {
  const float scale = std::fabs(ExtremeOf(x)) / 127.0f;
  const float inverse = InverseOrZero(scale);
  out.d = ToF16(scale);
  for (size_t i = 0; i < kSmallBlock; i++) {
    // Halves go away from zero. The greatest float below 0.5 does that by truncation for any |v| < 2^22, and does not
    // lift the greatest float below 0.5 to 1 as 0.5 would.
    const float v = x[i] * inverse;
    out.qs[i] = static_cast<int8_t>(static_cast<int>(v + std::copysign(0x1.fffffep-2f, v)));
  }
}

void QuantizeBlock(const float* x, BlockMXFP4& out) {
  const float greatest = std::fabs(ExtremeOf(x));
  // The exponent that makes the greatest level's exponent, 2, the block's own. Rounding in log2 is part of the
  // definition. Below 2^-125 the reference converts a negative float to an unsigned byte, which C leaves undefined.
  const float exponent = greatest > 0.0f ? std::floor(std::log2(greatest)) - 2.0f + 127.0f : 0.0f;
  out.e = static_cast<uint8_t>(std::max(exponent, 0.0f));
  const float scale = MXFP4Scale(out.e);
  std::array<uint8_t, kSmallBlock> q;
  for (size_t i = 0; i < kSmallBlock; i++) {
    // The nearest level, of equally near ones the smaller: count the midpoints that |x| is above.
    const float magnitude = std::fabs(x[i]);
    int level = 0;
    for (size_t l = 0; l < 7; l++) {
      const float midpoint = static_cast<float>(kMXFP4Values[l] + kMXFP4Values[l + 1]) * 0.5f;
      level += magnitude > midpoint * scale ? 1 : 0;
    }
    q[i] = static_cast<uint8_t>(level + (x[i] < 0.0f && level > 0 ? 8 : 0));
  }
  PackNibbles(q, out.qs);
}

}  // namespace bothy
