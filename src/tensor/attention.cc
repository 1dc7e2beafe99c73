#include "tensor/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/attention.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bothy::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using F = hn::CappedTag<float, kPageTokens>;

template <bool kF16>
HWY_INLINE hn::Vec<F> LoadCached(const std::byte* p, size_t index) {
  const F f;
  if constexpr (kF16) {
    const hn::Rebind<hwy::float16_t, F> half;
    return hn::PromoteTo(f, hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(p) + index));
  } else {
    return hn::LoadU(f, reinterpret_cast<const float*>(p) + index);
  }
}

// One page against kRows rows: scores, an online softmax (Milakov, Gimelshein 2018), and the weighted values.
template <bool kF16, int kRows>
HWY_INLINE void AttendPage(const AttentionRun& run, int64_t position, const std::byte* page, AttentionRow* rows) {
  const F f;
  const size_t lanes = hn::Lanes(f);
  const std::byte* keys = page;
  const std::byte* values = page + run.head_dim * kPageTokens * (kF16 ? 2 : 4);
  HWY_ALIGN float p[kRows][kPageTokens];
  float correction[kRows];
  int64_t first = kPageTokens, last = -1;  // of the tokens in this page that some row may see

  for (size_t part = 0; part < kPageTokens; part += lanes) {
    hn::Vec<F> score[kRows];
    for (int r = 0; r < kRows; r++) score[r] = hn::Zero(f);
    for (size_t d = 0; d < run.head_dim; d++) {
      const auto key = LoadCached<kF16>(keys, d * kPageTokens + part);
      for (int r = 0; r < kRows; r++) score[r] = hn::MulAdd(hn::Set(f, rows[r].query[d]), key, score[r]);
    }
    for (int r = 0; r < kRows; r++) hn::Store(hn::Mul(score[r], hn::Set(f, run.scale)), f, p[r] + part);
  }

  for (int r = 0; r < kRows; r++) {
    AttentionRow& row = rows[r];
    const int64_t from = std::max<int64_t>(row.first - position, 0);
    const int64_t to = std::min<int64_t>({row.last - position, run.end - 1 - position, int64_t{kPageTokens} - 1});
    correction[r] = 1.0f;
    if (from > to) {
      for (float& value : p[r]) value = 0.0f;
      continue;
    }
    first = std::min(first, from);
    last = std::max(last, to);
    float max = row.max;
    for (int64_t t = from; t <= to; t++) max = std::max(max, p[r][t]);
    for (int64_t t = 0; t < int64_t{kPageTokens}; t++) {
      p[r][t] = t < from || t > to ? -std::numeric_limits<float>::infinity() : p[r][t] - max;
    }
    auto sum = hn::Zero(f);
    for (size_t part = 0; part < kPageTokens; part += lanes) {
      // Exp takes no infinity; below -80 nothing is left in f32 beside the exp(0) of the largest score.
      const auto x = hn::Load(f, p[r] + part);
      const auto e = hn::IfThenElseZero(hn::Gt(x, hn::Set(f, -80.0f)), hn::Exp(f, hn::Max(x, hn::Set(f, -80.0f))));
      hn::Store(e, f, p[r] + part);
      sum = hn::Add(sum, e);
    }
    if (max > row.max) {
      const float step = row.max - max;
      correction[r] = step > -80.0f ? std::exp(step) : 0.0f;
      row.max = max;
    }
    row.sum = row.sum * correction[r] + hn::GetLane(hn::SumOfLanes(f, sum));
  }
  if (last < 0) return;

  const size_t padded = PaddedHeadDim(run.head_dim);
  for (size_t d = 0; d < padded; d += lanes) {
    hn::Vec<F> out[kRows];
    for (int r = 0; r < kRows; r++) out[r] = hn::Mul(hn::LoadU(f, rows[r].values + d), hn::Set(f, correction[r]));
    for (int64_t t = first; t <= last; t++) {
      const auto value = LoadCached<kF16>(values, static_cast<size_t>(t) * padded + d);
      for (int r = 0; r < kRows; r++) out[r] = hn::MulAdd(hn::Set(f, p[r][t]), value, out[r]);
    }
    for (int r = 0; r < kRows; r++) hn::StoreU(out[r], f, rows[r].values + d);
  }
}

template <bool kF16, int kRows>
void AttendRows(const AttentionRun& run, AttentionRow* rows) {
  int64_t begin = run.end, end = run.begin;  // pages that no row may see are not read
  for (int r = 0; r < kRows; r++) {
    begin = std::min(begin, rows[r].first);
    end = std::max(end, rows[r].last + 1);
  }
  begin = std::max(begin, run.begin) / int64_t{kPageTokens} * int64_t{kPageTokens};
  end = std::min(end, run.end);
  for (int64_t position = begin; position < end; position += int64_t{kPageTokens}) {
    const int32_t page = run.pages[position / int64_t{kPageTokens}];
    AttendPage<kF16, kRows>(run, position, run.base + static_cast<size_t>(page) * run.page_bytes, rows);
  }
}

template <bool kF16>
void AttendAll(const AttentionRun& run, AttentionRow* rows, size_t count) {
  while (count > 0) {
    size_t taken = 1;
    if (count >= 8) {
      AttendRows<kF16, 8>(run, rows);
      taken = 8;
    } else if (count >= 4) {
      AttendRows<kF16, 4>(run, rows);
      taken = 4;
    } else if (count == 3) {
      AttendRows<kF16, 3>(run, rows);
      taken = 3;
    } else if (count == 2) {
      AttendRows<kF16, 2>(run, rows);
      taken = 2;
    } else {
      AttendRows<kF16, 1>(run, rows);
    }
    rows += taken;
    count -= taken;
  }
}

void AttendRunImpl(const AttentionRun& run, AttentionRow* rows, size_t count) {
  if (run.f16) {
    AttendAll<true>(run, rows, count);
  } else {
    AttendAll<false>(run, rows, count);
  }
}

}  // namespace
}  // namespace bothy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bothy {

HWY_EXPORT(AttendRunImpl);

void AttendRun(const AttentionRun& run, AttentionRow* rows, size_t count) {
  const size_t padded = PaddedHeadDim(run.head_dim);
  for (size_t r = 0; r < count; r++) {
    rows[r].max = -std::numeric_limits<float>::infinity();
    rows[r].sum = 0;
    std::fill_n(rows[r].values, padded, 0.0f);
  }
  HWY_DYNAMIC_DISPATCH(AttendRunImpl)(run, rows, count);
}

void MergeRuns(AttentionRow& into, const AttentionRow& more, size_t head_dim) {
  if (more.sum == 0) return;
  const float max = std::max(into.max, more.max);
  const float a = into.sum == 0 ? 0.0f : std::exp(into.max - max), b = std::exp(more.max - max);
  into.max = max;
  into.sum = into.sum * a + more.sum * b;
  for (size_t d = 0; d < head_dim; d++) into.values[d] = into.values[d] * a + more.values[d] * b;
}

void FinishRow(const AttentionRow& row, size_t head_dim, float* out) {
  const float inverse = row.sum > 0 ? 1.0f / row.sum : 0.0f;
  for (size_t d = 0; d < head_dim; d++) out[d] = row.values[d] * inverse;
}

}  // namespace bothy
#endif
