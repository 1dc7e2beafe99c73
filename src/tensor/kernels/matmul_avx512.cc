// Matrix products with AVX-512 and VNNI. One template makes the kernels of all quantized formats; a format only says
// how 64 bytes of codes and 16 scales are had.
//
// Limits on two Zen 4 cores: vpdpbusd 936 GOP/s. A block of one column costs 8 of them and 3 to 5 other operations on
// 512 bits, so 60 to 70 % of that is what this shape can reach; docs/performance.md has what it does reach.
#include <immintrin.h>

#include "tensor/kernels/matmul.h"

namespace bothy::avx512 {
namespace {

#define INLINE __attribute__((always_inline)) inline

INLINE __m512 LoadF16(const std::byte* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
INLINE __m512 LoadBF16(const std::byte* p) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
INLINE __m512 LoadI8(const std::byte* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
INLINE __m512 FromU8(__m128i v) { return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(v)); }
INLINE __m512 LoadU8(const std::byte* p) { return FromU8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
INLINE __m512i Load(const std::byte* p) { return _mm512_load_si512(p); }

// The eight quads of a block, as unsigned bytes.
template <DType kType>
INLINE void LoadCodes(const std::byte* p, __m512i (&w)[kQuadsPerBlock]) {
  constexpr TileFormat kFormat = FormatOf(kType);
  const __m512i nibble = _mm512_set1_epi8(15);
  if constexpr (kFormat.bits == 8) {
    for (size_t g = 0; g < 8; g++) w[g] = Load(p + g * kQuadBytes);
    return;
  }
  if constexpr (kFormat.bits >= 4) {
    for (size_t g = 0; g < 4; g++) {
      const __m512i v = Load(p + g * kQuadBytes);
      w[g] = _mm512_and_si512(v, nibble);
      w[g + 4] = _mm512_and_si512(_mm512_srli_epi16(v, 4), nibble);
    }
  }
  if constexpr (kFormat.table) {
    const __m512i table = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(TableOf(kType))));
    for (size_t g = 0; g < 8; g++) w[g] = _mm512_shuffle_epi8(table, w[g]);
  }
  if constexpr (kFormat.bits == 5) {
    const __m512i high = Load(p + 4 * kQuadBytes), bit = _mm512_set1_epi8(16);
    // Bit g of each byte moves to bit 4; what a 16-bit shift drags in from the neighbour is masked away.
    w[0] = _mm512_or_si512(w[0], _mm512_and_si512(_mm512_slli_epi16(high, 4), bit));
    w[1] = _mm512_or_si512(w[1], _mm512_and_si512(_mm512_slli_epi16(high, 3), bit));
    w[2] = _mm512_or_si512(w[2], _mm512_and_si512(_mm512_slli_epi16(high, 2), bit));
    w[3] = _mm512_or_si512(w[3], _mm512_and_si512(_mm512_slli_epi16(high, 1), bit));
    w[4] = _mm512_or_si512(w[4], _mm512_and_si512(high, bit));
    w[5] = _mm512_or_si512(w[5], _mm512_and_si512(_mm512_srli_epi16(high, 1), bit));
    w[6] = _mm512_or_si512(w[6], _mm512_and_si512(_mm512_srli_epi16(high, 2), bit));
    w[7] = _mm512_or_si512(w[7], _mm512_and_si512(_mm512_srli_epi16(high, 3), bit));
  }
  if constexpr (kFormat.bits == 6) {
    const __m512i field = _mm512_set1_epi8(0x30);
    for (size_t half = 0; half < 2; half++) {
      const __m512i high = Load(p + (4 + half) * kQuadBytes);
      __m512i* const u = w + 4 * half;
      u[0] = _mm512_or_si512(u[0], _mm512_and_si512(_mm512_slli_epi16(high, 4), field));
      u[1] = _mm512_or_si512(u[1], _mm512_and_si512(_mm512_slli_epi16(high, 2), field));
      u[2] = _mm512_or_si512(u[2], _mm512_and_si512(high, field));
      u[3] = _mm512_or_si512(u[3], _mm512_and_si512(_mm512_srli_epi16(high, 2), field));
    }
  }
  if constexpr (kFormat.bits == 2 || kFormat.bits == 3) {
    const __m512i field = _mm512_set1_epi8(3);
    for (size_t half = 0; half < 2; half++) {
      const __m512i v = Load(p + half * kQuadBytes);
      __m512i* const u = w + 4 * half;
      u[0] = _mm512_and_si512(v, field);
      u[1] = _mm512_and_si512(_mm512_srli_epi16(v, 2), field);
      u[2] = _mm512_and_si512(_mm512_srli_epi16(v, 4), field);
      u[3] = _mm512_and_si512(_mm512_srli_epi16(v, 6), field);
    }
  }
  if constexpr (kFormat.bits == 3) {
    const __m512i high = Load(p + 2 * kQuadBytes), bit = _mm512_set1_epi8(4);
    w[0] = _mm512_or_si512(w[0], _mm512_and_si512(_mm512_slli_epi16(high, 2), bit));
    w[1] = _mm512_or_si512(w[1], _mm512_and_si512(_mm512_slli_epi16(high, 1), bit));
    w[2] = _mm512_or_si512(w[2], _mm512_and_si512(high, bit));
    w[3] = _mm512_or_si512(w[3], _mm512_and_si512(_mm512_srli_epi16(high, 1), bit));
    w[4] = _mm512_or_si512(w[4], _mm512_and_si512(_mm512_srli_epi16(high, 2), bit));
    w[5] = _mm512_or_si512(w[5], _mm512_and_si512(_mm512_srli_epi16(high, 3), bit));
    w[6] = _mm512_or_si512(w[6], _mm512_and_si512(_mm512_srli_epi16(high, 4), bit));
    w[7] = _mm512_or_si512(w[7], _mm512_and_si512(_mm512_srli_epi16(high, 5), bit));
  }
}

// Scales and minimums of 16 rows, of both halves of a block where the format tells them apart.
struct Scales {
  __m512 scale[2];
  __m512 minimum[2];
};

template <DType kType>
INLINE void LoadScales(const std::byte* tile, size_t blocks, size_t block, Scales& s) {
  constexpr TileFormat kFormat = FormatOf(kType);
  const std::byte* p = tile + kFormat.ScaleOffset(blocks) + block * kFormat.ScaleBytes();
  const std::byte* super = tile + kFormat.SuperOffset(blocks) + block / kBlocksPerSuper * kFormat.SuperBytes();
  if constexpr (kFormat.scaling == Scaling::kF16) s.scale[0] = LoadF16(p);
  if constexpr (kFormat.scaling == Scaling::kBF16) s.scale[0] = LoadBF16(p);
  if constexpr (kFormat.scaling == Scaling::kF16Min) {
    s.scale[0] = LoadF16(p);
    s.minimum[0] = LoadF16(p + 32);
  }
  if constexpr (kFormat.scaling == Scaling::kS32) s.scale[0] = _mm512_mul_ps(LoadF16(super), LoadI8(p));
  if constexpr (kFormat.scaling == Scaling::kS16) {
    const __m512 d = LoadF16(super);
    s.scale[0] = _mm512_mul_ps(d, LoadI8(p));
    s.scale[1] = _mm512_mul_ps(d, LoadI8(p + 16));
  }
  if constexpr (kFormat.scaling == Scaling::kS32Min) {
    s.scale[0] = _mm512_mul_ps(LoadF16(super), LoadU8(p));
    s.minimum[0] = _mm512_mul_ps(LoadF16(super + 32), LoadU8(p + 16));
  }
  if constexpr (kFormat.scaling == Scaling::kS16Min) {
    const __m512 d = LoadF16(super), e = LoadF16(super + 32);
    for (size_t half = 0; half < 2; half++) {
      const __m128i both = _mm_load_si128(reinterpret_cast<const __m128i*>(p) + half), low = _mm_set1_epi8(15);
      s.scale[half] = _mm512_mul_ps(d, FromU8(_mm_and_si128(both, low)));
      s.minimum[half] = _mm512_mul_ps(e, FromU8(_mm_and_si128(_mm_srli_epi16(both, 4), low)));
    }
  }
}

template <DType kType>
INLINE __m512i StartSum(const ActivationBlock& x, int half) {
  constexpr int kShift = FormatOf(kType).zero_shift;
  if constexpr (kShift < 0) return _mm512_setzero_si512();
  return _mm512_slli_epi32(_mm512_set1_epi32(x.negative_sum[half]), static_cast<unsigned>(kShift < 0 ? 0 : kShift));
}

INLINE __m512i Dot(__m512i sum, const __m512i* w, const int8_t* q, int quads) {
  for (int g = 0; g < quads; g++) {
    int32_t four;
    __builtin_memcpy(&four, q + 4 * g, 4);
    sum = _mm512_dpbusd_epi32(sum, w[g], _mm512_set1_epi32(four));
  }
  return sum;
}

template <DType kType>
INLINE __m512 Accumulate(__m512 sum, const __m512i (&w)[8], const Scales& s, const ActivationBlock& x) {
  constexpr TileFormat kFormat = FormatOf(kType);
  const __m512 scale = _mm512_set1_ps(x.scale);
  if constexpr (kFormat.HasHalves()) {
    const __m512i first = Dot(StartSum<kType>(x, 0), w, x.q, 4);
    const __m512i second = Dot(StartSum<kType>(x, 1), w + 4, x.q + 16, 4);
    __m512 t = _mm512_mul_ps(_mm512_cvtepi32_ps(first), s.scale[0]);
    t = _mm512_fmadd_ps(_mm512_cvtepi32_ps(second), s.scale[1], t);
    sum = _mm512_fmadd_ps(t, scale, sum);
    if constexpr (kFormat.HasMinimum()) {
      sum = _mm512_fmadd_ps(s.minimum[0], _mm512_set1_ps(x.sum[0]), sum);
      sum = _mm512_fmadd_ps(s.minimum[1], _mm512_set1_ps(x.sum[1]), sum);
    }
  } else {
    const __m512i dot = Dot(StartSum<kType>(x, kBothHalves), w, x.q, 8);
    sum = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(dot), s.scale[0]), scale, sum);
    if constexpr (kFormat.HasMinimum()) {
      sum = _mm512_fmadd_ps(s.minimum[0], _mm512_set1_ps(x.sum[kBothHalves]), sum);
    }
  }
  return sum;
}

INLINE __mmask16 RowMask(size_t rows) { return static_cast<__mmask16>(rows >= kTileRows ? 0xffff : (1u << rows) - 1); }

// kTiles tiles by kColumns columns at a time: several sums hide the latency of vpdpbusd, and with several tiles the
// weights arrive from memory in as many streams.
template <DType kType, int kTiles, int kColumns>
INLINE void Multiply(const QuantizedArgs& a, size_t tile, size_t column) {
  constexpr TileFormat kFormat = FormatOf(kType);
  __m512 sum[kTiles][kColumns];
  for (int t = 0; t < kTiles; t++) {
    for (int c = 0; c < kColumns; c++) sum[t][c] = _mm512_setzero_ps();
  }
  const std::byte* base = a.tiles + tile * a.tile_stride;
  const ActivationBlock* x = a.x + column * a.x_stride;
  for (size_t block = 0; block < a.blocks; block++) {
#pragma GCC unroll 4
    for (int t = 0; t < kTiles; t++) {
      const std::byte* p = base + static_cast<size_t>(t) * a.tile_stride;
      __m512i w[kQuadsPerBlock];
      LoadCodes<kType>(p + block * kFormat.CodeBytes(), w);
      Scales s;
      LoadScales<kType>(p, a.blocks, block, s);
#pragma GCC unroll 8
      for (int c = 0; c < kColumns; c++) {
        sum[t][c] = Accumulate<kType>(sum[t][c], w, s, x[static_cast<size_t>(c) * a.x_stride + block]);
      }
    }
  }
  for (int t = 0; t < kTiles; t++) {
    const size_t row = (tile + static_cast<size_t>(t)) * kTileRows;
    const __mmask16 mask = RowMask(a.rows - row);
    for (int c = 0; c < kColumns; c++) {
      _mm512_mask_storeu_ps(a.out + (column + static_cast<size_t>(c)) * a.out_stride + row, mask, sum[t][c]);
    }
  }
}

template <DType kType>
void MatMul(const QuantizedArgs& a) {
  if (a.columns == 1) {
    size_t tile = 0;
    for (; tile + 4 <= a.tile_count; tile += 4) Multiply<kType, 4, 1>(a, tile, 0);
    for (; tile < a.tile_count; tile++) Multiply<kType, 1, 1>(a, tile, 0);
    return;
  }
  for (size_t tile = 0; tile < a.tile_count; tile++) {
    size_t column = 0;
    for (; column + 8 <= a.columns; column += 8) Multiply<kType, 1, 8>(a, tile, column);
    for (; column + 4 <= a.columns; column += 4) Multiply<kType, 1, 4>(a, tile, column);
    for (; column < a.columns; column++) Multiply<kType, 1, 1>(a, tile, column);
  }
}

template <DType kType>
void Expand(const std::byte* tile, size_t k, size_t begin, size_t end, float* out) {
  constexpr TileFormat kFormat = FormatOf(kType);
  const size_t blocks = k / kBlockColumns;
  for (size_t block = begin / kBlockColumns; block < end / kBlockColumns; block++) {
    __m512i w[kQuadsPerBlock];
    LoadCodes<kType>(tile + block * kFormat.CodeBytes(), w);
    Scales s;
    LoadScales<kType>(tile, blocks, block, s);
    for (size_t i = 0; i < kBlockColumns; i++) {
      const size_t half = kFormat.HasHalves() ? i / 16 : 0;
      __m512i code =
          _mm512_and_si512(_mm512_srli_epi32(w[i / 4], static_cast<unsigned>(8 * (i % 4))), _mm512_set1_epi32(255));
      if constexpr (kFormat.zero_shift >= 0) {
        code = _mm512_sub_epi32(code, _mm512_set1_epi32(1 << kFormat.zero_shift));
      }
      __m512 value = _mm512_mul_ps(_mm512_cvtepi32_ps(code), s.scale[half]);
      if constexpr (kFormat.HasMinimum()) value = _mm512_add_ps(value, s.minimum[half]);
      _mm512_store_ps(out + i * kTileRows, value);
    }
    out += kBlockColumns * kTileRows;
  }
}

// f32 ------------------------------------------------------------------------------------------------------------

template <DType kType>
INLINE __m512 LoadWeights(const std::byte* p) {
  if constexpr (kType == DType::kF32) return _mm512_load_ps(p);
  if constexpr (kType == DType::kF16) return LoadF16(p);
  if constexpr (kType == DType::kBF16) return LoadBF16(p);
}

template <DType kType>
void Widen(const std::byte* tile, size_t, size_t begin, size_t end, float* out) {
  for (size_t i = begin * kTileRows; i < end * kTileRows; i += kTileRows, out += kTileRows) {
    _mm512_store_ps(out, LoadWeights<kType>(tile + i * 2));
  }
}

// x[k * width] and the kColumns values behind it are the activations.
template <int kTiles, int kColumns, class LoadWeights>
INLINE void MultiplyFloats(const float* x, size_t width, size_t k, LoadWeights load, bool add, float* out,
                           size_t out_stride, size_t rows) {
  __m512 sum[kTiles][kColumns];
  for (int t = 0; t < kTiles; t++) {
    for (int c = 0; c < kColumns; c++) sum[t][c] = _mm512_setzero_ps();
  }
  for (size_t i = 0; i < k; i++) {
#pragma GCC unroll 4
    for (int t = 0; t < kTiles; t++) {
      const __m512 w = load(static_cast<size_t>(t), i);
#pragma GCC unroll 12
      for (int c = 0; c < kColumns; c++) sum[t][c] = _mm512_fmadd_ps(w, _mm512_set1_ps(x[c]), sum[t][c]);
    }
    x += width;
  }
  for (int t = 0; t < kTiles; t++) {
    const size_t row = static_cast<size_t>(t) * kTileRows;
    const __mmask16 mask = RowMask(rows - row);
    for (int c = 0; c < kColumns; c++) {
      float* to = out + static_cast<size_t>(c) * out_stride + row;
      const __m512 before = add ? _mm512_maskz_loadu_ps(mask, to) : _mm512_setzero_ps();
      _mm512_mask_storeu_ps(to, mask, _mm512_add_ps(before, sum[t][c]));
    }
  }
}

template <DType kType>
void MatMulFloats(const FloatArgs& a) {
  constexpr size_t kBytes = kType == DType::kF32 ? 4 : 2;
  for (size_t begin = 0; begin < a.k; begin += kFloatChunk) {
    const size_t k = begin + kFloatChunk < a.k ? kFloatChunk : a.k - begin;
    const bool add = a.begin + begin > 0;
    size_t tile = 0;
    const auto load = [&](size_t t, size_t i) __attribute__((always_inline)) {
      return LoadWeights<kType>(a.tiles + (tile + t) * a.tile_stride + (begin + i) * kTileRows * kBytes);
    };
    if (a.columns == 1) {
      const float* x = a.x + PanelOffset(a.x_k, a.x_columns, a.begin + begin, a.column);
      for (; tile + 4 <= a.tile_count; tile += 4) {
        MultiplyFloats<4, 1>(x, 1, k, load, add, a.out + tile * kTileRows, a.out_stride, a.rows - tile * kTileRows);
      }
    }
    for (; tile < a.tile_count; tile++) {
      const size_t row = tile * kTileRows, rows = a.rows - row;
      for (size_t panel = 0; panel < a.columns; panel += kPanelColumns) {
        const size_t width = PanelWidth(a.column + panel, a.x_columns);
        const float* x = a.x + PanelOffset(a.x_k, a.x_columns, a.begin + begin, a.column + panel);
        float* out = a.out + panel * a.out_stride + row;
        size_t lane = 0;
        const auto multiply = [&]<int kColumns>() __attribute__((always_inline)) {
          for (; lane + kColumns <= width; lane += kColumns) {
            MultiplyFloats<1, kColumns>(x + lane, width, k, load, add, out + lane * a.out_stride, a.out_stride, rows);
          }
        };
        multiply.template operator()<12>();
        multiply.template operator()<4>();
        multiply.template operator()<1>();
      }
    }
  }
}

}  // namespace

constinit const MatMulKernels kMatMulKernels = BOTHY_MATMUL_KERNELS(MatMul, Expand, Widen, MatMulFloats);

}  // namespace bothy::avx512
