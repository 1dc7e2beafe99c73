#include "tensor/ops.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/ops.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bothy::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using F = hn::ScalableTag<float>;

// exp(x). Highway's is wrong above 88, where the result leaves f32: what is above counts as 88, which is as good as
// infinity in the quotients below.
HWY_INLINE hn::Vec<F> SafeExp(hn::Vec<F> x) {
  const F f;
  return hn::Exp(f, hn::Min(x, hn::Set(f, 88.0f)));
}

// Calls body(offset, load, store) for whole vectors and once for the rest, whose loads are filled up with zeros.
template <class Body>
HWY_INLINE void ForEachVector(size_t n, Body body) {
  const F f;
  const size_t lanes = hn::Lanes(f);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    body(
        i, [&](const float* p) HWY_ATTR { return hn::LoadU(f, p + i); },
        [&](auto v, float* p) HWY_ATTR { hn::StoreU(v, f, p + i); });
  }
  if (i < n) {
    HWY_ALIGN float rest[HWY_MAX_BYTES / sizeof(float)];
    body(
        i,
        [&](const float* p) HWY_ATTR {
          for (size_t j = 0; j < lanes; j++) rest[j] = i + j < n ? p[i + j] : 0.0f;
          return hn::Load(f, rest);
        },
        [&](auto v, float* p) HWY_ATTR {
          hn::Store(v, f, rest);
          for (size_t j = 0; i + j < n; j++) p[i + j] = rest[j];
        });
  }
}

void RmsNormImpl(const float* x, const float* weight, float epsilon, float* out, size_t n) {
  const F f;
  auto sum = hn::Zero(f);
  ForEachVector(n, [&](size_t, auto load, auto) HWY_ATTR {
    const auto v = load(x);
    sum = hn::MulAdd(v, v, sum);
  });
  const float mean = hn::GetLane(hn::SumOfLanes(f, sum)) / static_cast<float>(n);
  const auto scale = hn::Set(f, 1.0f / std::sqrt(mean + epsilon));
  ForEachVector(n, [&](size_t, auto load, auto store) HWY_ATTR {
    const auto v = hn::Mul(load(x), scale);
    store(hn::Mul(v, load(weight)), out);
  });
}

void LayerNormImpl(const float* x, const float* weight, const float* bias, float epsilon, float* out, size_t n) {
  const F f;
  auto sum = hn::Zero(f);
  ForEachVector(n, [&](size_t, auto load, auto) HWY_ATTR { sum = hn::Add(sum, load(x)); });
  const float mean = hn::GetLane(hn::SumOfLanes(f, sum)) / static_cast<float>(n);
  double squares = 0;  // the rest of a vector is filled up with zeros, whose distance to the mean must not count
  for (size_t i = 0; i < n; i++) squares += static_cast<double>(x[i] - mean) * static_cast<double>(x[i] - mean);
  const auto variance = static_cast<float>(squares / static_cast<double>(n));
  const auto scale = hn::Set(f, 1.0f / std::sqrt(variance + epsilon)), middle = hn::Set(f, mean);
  ForEachVector(n, [&](size_t, auto load, auto store) HWY_ATTR {
    const auto v = hn::Mul(hn::Mul(hn::Sub(load(x), middle), scale), load(weight));
    store(bias != nullptr ? hn::Add(v, load(bias)) : v, out);
  });
}

void AddImpl(float* x, const float* y, size_t n) {
  ForEachVector(n, [&](size_t, auto load, auto store) HWY_ATTR {
    const auto a = load(x);
    store(hn::Add(a, load(y)), x);
  });
}

void SwiGluImpl(const float* gate, const float* up, float* out, size_t n) {
  const F f;
  const auto one = hn::Set(f, 1.0f);
  ForEachVector(n, [&](size_t, auto load, auto store) HWY_ATTR {
    const auto g = load(gate);
    const auto silu = hn::Div(g, hn::Add(one, SafeExp(hn::Neg(g))));
    store(hn::Mul(silu, load(up)), out);
  });
}

void GeluTanhImpl(float* x, size_t n) {
  const F f;
  const auto cubic = hn::Set(f, 0.044715f), root = hn::Set(f, 0.7978845608028654f), one = hn::Set(f, 1.0f);
  const auto two = hn::Set(f, 2.0f);
  ForEachVector(n, [&](size_t, auto load, auto store) HWY_ATTR {
    const auto v = load(x);
    const auto inner = hn::Mul(root, hn::MulAdd(hn::Mul(hn::Mul(v, v), v), cubic, v));
    // (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u))
    store(hn::Div(v, hn::Add(one, SafeExp(hn::Neg(hn::Mul(two, inner))))), x);
  });
}

void RotateHalfImpl(float* x, const float* cosines, const float* sines, size_t half) {
  float* const second = x + half;
  ForEachVector(half, [&](size_t, auto load, auto store) HWY_ATTR {
    const auto a = load(x);
    const auto b = load(second);
    const auto c = load(cosines);
    const auto s = load(sines);
    store(hn::NegMulAdd(b, s, hn::Mul(a, c)), x);
    store(hn::MulAdd(a, s, hn::Mul(b, c)), second);
  });
}

// base/half.h's conversion, with whole numbers: Highway's own rounds otherwise on processors without F16C.
void ToFiniteF16Impl(const float* x, uint16_t* out, size_t n) {
  const F f;
  const hn::RebindToUnsigned<F> u32;
  const hn::RebindToSigned<F> i32;
  const hn::Rebind<uint16_t, F> u16;
  const auto convert = [&](hn::Vec<F> v) HWY_ATTR {
    const auto bits = hn::BitCast(i32, v);
    const auto sign = hn::And(hn::BitCast(i32, hn::ShiftRight<16>(hn::BitCast(u32, bits))), hn::Set(i32, 0x8000));
    const auto magnitude = hn::And(bits, hn::Set(i32, 0x7fffffff));
    const auto finite = hn::Min(magnitude, hn::Set(i32, 0x477fe000));  // 65504
    const auto odd = hn::And(hn::ShiftRight<13>(finite), hn::Set(i32, 1));
    const auto rounded = hn::Add(hn::Add(finite, hn::Set(i32, 0xfff - 0x38000000)), odd);
    const auto normal = hn::ShiftRight<13>(rounded);
    // Adding 0.5 leaves the bits above 2^-24 in the low mantissa, rounded to nearest even by the addition.
    const auto shifted = hn::Add(hn::BitCast(f, finite), hn::Set(f, 0.5f));
    const auto subnormal = hn::Sub(hn::BitCast(i32, shifted), hn::Set(i32, 0x3f000000));
    auto half = hn::IfThenElse(hn::Lt(finite, hn::Set(i32, 0x38800000)), subnormal, normal);
    half = hn::IfThenElse(hn::Gt(magnitude, hn::Set(i32, 0x7f800000)), hn::Set(i32, 0x7e00), half);  // NaN stays one
    return hn::DemoteTo(u16, hn::Or(half, sign));
  };
  const size_t lanes = hn::Lanes(f);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(convert(hn::LoadU(f, x + i)), u16, out + i);
  if (i < n) {
    HWY_ALIGN float rest[HWY_MAX_BYTES / sizeof(float)] = {};
    HWY_ALIGN uint16_t halves[HWY_MAX_BYTES / sizeof(float)];
    for (size_t j = 0; i + j < n; j++) rest[j] = x[i + j];
    hn::Store(convert(hn::Load(f, rest)), u16, halves);
    for (size_t j = 0; i + j < n; j++) out[i + j] = halves[j];
  }
}

void QuantizeActivationsImpl(const float* x, size_t n, ActivationBlock* out) {
  const hn::CappedTag<float, 16> f;  // 16 lanes at most, so that halves of a block are whole vectors
  const hn::RebindToSigned<decltype(f)> i32;
  const hn::Rebind<int8_t, decltype(f)> i8;
  const size_t lanes = hn::Lanes(f);
  for (size_t block = 0; block < n / kBlockColumns; block++, x += kBlockColumns) {
    auto largest = hn::Zero(f);
    for (size_t i = 0; i < kBlockColumns; i += lanes) largest = hn::Max(largest, hn::Abs(hn::LoadU(f, x + i)));
    const float scale = hn::GetLane(hn::MaxOfLanes(f, largest)) / 127.0f;
    // A scale that is subnormal has no reciprocal; all such activations are nothing.
    const auto inverse = hn::Set(f, scale > 1e-37f ? 1.0f / scale : 0.0f);
    ActivationBlock& b = out[block];
    int32_t sums[2];
    for (size_t half = 0; half < 2; half++) {
      auto sum = hn::Zero(i32);
      for (size_t i = half * 16; i < half * 16 + 16; i += lanes) {
        const auto q = hn::NearestInt(hn::Mul(hn::LoadU(f, x + i), inverse));
        sum = hn::Add(sum, q);
        hn::StoreU(hn::DemoteTo(i8, q), i8, b.q + i);
      }
      sums[half] = hn::GetLane(hn::SumOfLanes(i32, sum));
    }
    b.scale = scale;
    b.negative_sum[0] = -sums[0];
    b.negative_sum[1] = -sums[1];
    b.negative_sum[2] = -(sums[0] + sums[1]);
    b.sum[0] = scale * static_cast<float>(sums[0]);
    b.sum[1] = scale * static_cast<float>(sums[1]);
    b.sum[2] = scale * static_cast<float>(sums[0] + sums[1]);
    b.unused = 0;
  }
}

}  // namespace
}  // namespace bothy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bothy {

HWY_EXPORT(RmsNormImpl);
HWY_EXPORT(LayerNormImpl);
HWY_EXPORT(AddImpl);
HWY_EXPORT(SwiGluImpl);
HWY_EXPORT(GeluTanhImpl);
HWY_EXPORT(RotateHalfImpl);
HWY_EXPORT(ToFiniteF16Impl);
HWY_EXPORT(QuantizeActivationsImpl);

void RmsNorm(const float* x, const float* weight, float epsilon, float* out, size_t n) {
  HWY_DYNAMIC_DISPATCH(RmsNormImpl)(x, weight, epsilon, out, n);
}
void LayerNorm(const float* x, const float* weight, const float* bias, float epsilon, float* out, size_t n) {
  HWY_DYNAMIC_DISPATCH(LayerNormImpl)(x, weight, bias, epsilon, out, n);
}
void Add(float* x, const float* y, size_t n) { HWY_DYNAMIC_DISPATCH(AddImpl)(x, y, n); }
void SwiGlu(const float* gate, const float* up, float* out, size_t n) {
  HWY_DYNAMIC_DISPATCH(SwiGluImpl)(gate, up, out, n);
}
void GeluTanh(float* x, size_t n) { HWY_DYNAMIC_DISPATCH(GeluTanhImpl)(x, n); }
void Gelu(float* x, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] *= 0.5f * (1.0f + std::erf(x[i] * 0.7071067811865476f));
}
void RotateHalf(float* x, const float* cosines, const float* sines, size_t half) {
  HWY_DYNAMIC_DISPATCH(RotateHalfImpl)(x, cosines, sines, half);
}
void ToFiniteF16(const float* x, uint16_t* out, size_t n) { HWY_DYNAMIC_DISPATCH(ToFiniteF16Impl)(x, out, n); }
void QuantizeActivations(const float* x, size_t n, ActivationBlock* out) {
  HWY_DYNAMIC_DISPATCH(QuantizeActivationsImpl)(x, n, out);
}

}  // namespace bothy
#endif
