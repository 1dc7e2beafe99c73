// Four groups of weights searched side by side, one a lane of a vector. A quantizer's result depends on the order in
// which it adds up a group's elements, and the reference adds them one after the other: so a lane does that too, and
// what runs in parallel is groups, never the elements of one.
//
// Plain vector types of both compilers, 16 bytes wide: every machine has them, and the
// searches are fast enough with them (quantize_k.cc) to need no choice of instruction set.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace bothy {

inline constexpr size_t kLanes = 4;
using Lanes = float __attribute__((vector_size(4 * kLanes)));
using LaneMask = int32_t __attribute__((vector_size(4 * kLanes)));  // all ones where true

inline Lanes AllLanes(float value) { return Lanes{value, value, value, value}; }
inline Lanes Select(LaneMask mask, Lanes yes, Lanes no) { return mask ? yes : no; }
inline Lanes Abs(Lanes v) { return std::bit_cast<Lanes>(std::bit_cast<LaneMask>(v) & 0x7fffffff); }
inline bool Any(LaneMask mask) {
  const auto halves = std::bit_cast<std::array<uint64_t, 2>>(mask);
  return (halves[0] | halves[1]) != 0;
}

// Rounds to nearest, ties to even, by adding 1.5 * 2^23, which leaves the integer in the mantissa. Right for
// |value| <= 2^22; outside, and for what is no number, it gives what the reference gives: the low bits of that
// mantissa.
inline int32_t NearestInt(float value) {
  return (std::bit_cast<int32_t>(value + 12582912.0f) & 0x007fffff) - 0x00400000;
}
// The same in every lane, as a float.
inline Lanes Nearest(Lanes value) {
  const LaneMask bits = std::bit_cast<LaneMask>(value + 12582912.0f);
  return __builtin_convertvector((bits & 0x007fffff) - 0x00400000, Lanes);
}

inline Lanes Clamp(Lanes v, float low, float high) {
  v = Select(v > high, AllLanes(high), v);
  return Select(v < low, AllLanes(low), v);
}

// out[i] holds element i of four groups of kSize elements that lie one after the other.
template <size_t kSize>
void Transpose(const float* groups, Lanes (&out)[kSize]) {
  for (size_t i = 0; i < kSize; i++) {
    out[i] = Lanes{groups[i], groups[kSize + i], groups[2 * kSize + i], groups[3 * kSize + i]};
  }
}

inline void Store(Lanes v, float* out) {
  for (size_t lane = 0; lane < kLanes; lane++) out[lane] = v[lane];
}

// The element of each lane whose magnitude is greatest, the first of equals; 0 where all are 0.
template <size_t kSize>
Lanes Extreme(const Lanes (&x)[kSize]) {
  Lanes greatest{}, extreme{};
  for (size_t i = 0; i < kSize; i++) {
    const Lanes magnitude = Abs(x[i]);
    const LaneMask greater = magnitude > greatest;
    greatest = Select(greater, magnitude, greatest);
    extreme = Select(greater, x[i], extreme);
  }
  return extreme;
}

// The scale of greatest magnitude, the first of equals; 0 where all are 0. With the magnitude in a variable of its own:
// clang 19 at -O2 gets `fabs(v) > fabs(extreme) ? v : extreme` wrong when it unrolls the loop whole.
template <size_t kCount>
float Extreme(const std::array<float, kCount>& values) {
  float greatest = 0.0f;
  float extreme = 0.0f;
  for (const float v : values) {
    if (std::fabs(v) > greatest) {
      greatest = std::fabs(v);
      extreme = v;
    }
  }
  return extreme;
}

// A group whose greatest magnitude is below this counts as all zeros.
inline constexpr float kNothing = 1e-15f;

}  // namespace bothy
