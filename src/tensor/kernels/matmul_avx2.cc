// Matrix products with AVX2 and FMA. As in matmul_avx512.cc one template makes the kernels of all quantized formats,
// here on half a quad (8 rows) at a time.
//
// vpmaddubsw multiplies unsigned codes with signed activations and adds pairs in 16 bits. Codes of few bits leave room
// to add several of those before they are widened, which is where 4-bit weights gain half again over 8-bit ones (600
// against 390 GOP/s on two Zen 3 cores). 8-bit codes would saturate: there the sign moves to the activation.
#include <immintrin.h>

#include <utility>

#include "tensor/kernels/matmul.h"

namespace bothy::avx2 {
namespace {

#define INLINE __attribute__((always_inline)) inline

constexpr int kParts = 2;  // a tile's 16 rows are two vectors of 8
constexpr size_t kPartRows = 8;

INLINE __m256 LoadF16(const std::byte* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
INLINE __m256 LoadBF16(const std::byte* p) {
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
INLINE __m256 LoadI8(const std::byte* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
INLINE __m256 FromU8(__m128i v) { return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(v)); }
INLINE __m256 LoadU8(const std::byte* p) { return FromU8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))); }

template <DType kType>
inline constexpr bool kSigned = FormatOf(kType).bits == 8 || FormatOf(kType).table;

// How many products of a code and an activation pair fit into 16 bits: 2 * code * 127 each.
template <DType kType>
INLINE constexpr int ProductsPerSum() {
  if (kSigned<kType>) return 1;
  switch (FormatOf(kType).bits) {
    case 6: return 2;
    case 5: return 4;
    default: return 8;
  }
}

template <int kShift>
INLINE __m256i Shift(__m256i v) {  // right, or left where kShift is negative
  if constexpr (kShift >= 0) return _mm256_srli_epi16(v, kShift);
  return _mm256_slli_epi16(v, -kShift);
}

// Quad kQuad of 8 rows; `p` is the block's codes, already at those rows. Codes are unsigned, or signed where kSigned.
template <DType kType, int kQuad>
INLINE __m256i LoadQuad(const std::byte* p) {
  constexpr int kBits = FormatOf(kType).bits;
  const auto vector = [p](size_t index) __attribute__((always_inline)) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(p + index * kQuadBytes));
  };
  __m256i w;
  if constexpr (kBits == 8) {
    w = _mm256_xor_si256(vector(kQuad), _mm256_set1_epi8(-128));
  } else if constexpr (kBits >= 4) {
    w = _mm256_and_si256(Shift<kQuad / 4 * 4>(vector(kQuad % 4)), _mm256_set1_epi8(15));
  } else {
    w = _mm256_and_si256(Shift<kQuad % 4 * 2>(vector(kQuad / 4)), _mm256_set1_epi8(3));
  }
  if constexpr (FormatOf(kType).table) {
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(TableOf(kType)));
    const __m256i both = _mm256_xor_si256(_mm256_broadcastsi128_si256(table), _mm256_set1_epi8(-128));
    w = _mm256_shuffle_epi8(both, w);
  }
  if constexpr (kBits == 5) {
    w = _mm256_or_si256(w, _mm256_and_si256(Shift<kQuad - 4>(vector(4)), _mm256_set1_epi8(16)));
  }
  if constexpr (kBits == 6) {
    const __m256i high = Shift<kQuad % 4 * 2 - 4>(vector(4 + kQuad / 4));
    w = _mm256_or_si256(w, _mm256_and_si256(high, _mm256_set1_epi8(0x30)));
  }
  if constexpr (kBits == 3) {
    w = _mm256_or_si256(w, _mm256_and_si256(Shift<kQuad - 2>(vector(2)), _mm256_set1_epi8(4)));
  }
  return w;
}

struct Scales {
  __m256 scale[2];
  __m256 minimum[2];
};

template <DType kType>
INLINE void LoadScales(const std::byte* tile, size_t blocks, size_t block, size_t part, Scales& s) {
  constexpr TileFormat kFormat = FormatOf(kType);
  const std::byte* p = tile + kFormat.ScaleOffset(blocks) + block * kFormat.ScaleBytes();
  const std::byte* super = tile + kFormat.SuperOffset(blocks) + block / kBlocksPerSuper * kFormat.SuperBytes();
  const size_t f16 = part * kPartRows * 2, i8 = part * kPartRows;
  if constexpr (kFormat.scaling == Scaling::kF16) s.scale[0] = LoadF16(p + f16);
  if constexpr (kFormat.scaling == Scaling::kBF16) s.scale[0] = LoadBF16(p + f16);
  if constexpr (kFormat.scaling == Scaling::kF16Min) {
    s.scale[0] = LoadF16(p + f16);
    s.minimum[0] = LoadF16(p + 32 + f16);
  }
  if constexpr (kFormat.scaling == Scaling::kS32) s.scale[0] = _mm256_mul_ps(LoadF16(super + f16), LoadI8(p + i8));
  if constexpr (kFormat.scaling == Scaling::kS16) {
    const __m256 d = LoadF16(super + f16);
    s.scale[0] = _mm256_mul_ps(d, LoadI8(p + i8));
    s.scale[1] = _mm256_mul_ps(d, LoadI8(p + 16 + i8));
  }
  if constexpr (kFormat.scaling == Scaling::kS32Min) {
    s.scale[0] = _mm256_mul_ps(LoadF16(super + f16), LoadU8(p + i8));
    s.minimum[0] = _mm256_mul_ps(LoadF16(super + 32 + f16), LoadU8(p + 16 + i8));
  }
  if constexpr (kFormat.scaling == Scaling::kS16Min) {
    const __m256 d = LoadF16(super + f16), e = LoadF16(super + 32 + f16);
    for (size_t half = 0; half < 2; half++) {
      const __m128i both = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + half * kTileRows + i8));
      const __m128i low = _mm_set1_epi8(15);
      s.scale[half] = _mm256_mul_ps(d, FromU8(_mm_and_si128(both, low)));
      s.minimum[half] = _mm256_mul_ps(e, FromU8(_mm_and_si128(_mm_srli_epi16(both, 4), low)));
    }
  }
}

INLINE __m256i Broadcast(const int8_t* four) {
  int32_t value;
  __builtin_memcpy(&value, four, 4);
  return _mm256_set1_epi32(value);
}

// Sums are made in the order that is written. Without this clang reorders them column by column, for which it decodes
// all quads of a block first and spills them: half the speed.
INLINE void KeepOrder(__m256i& sum) { asm volatile("" : "+x"(sum)); }

// Integer products of quads [kFrom, kTo) of one block: dot[part][column].
template <DType kType, int kFrom, int kTo, int kColumns>
INLINE void Dot(const std::byte* codes, const ActivationBlock* const (&x)[kColumns], int half,
                __m256i (&dot)[kParts][kColumns]) {
  const __m256i one = _mm256_set1_epi16(1);
  __m256i pending[kParts][kColumns];
  const auto quad = [&]<int kIndex>() __attribute__((always_inline)) {
    constexpr int kProducts = ProductsPerSum<kType>(), kQuad = kFrom + kIndex;
    const __m256i w[kParts] = {LoadQuad<kType, kQuad>(codes), LoadQuad<kType, kQuad>(codes + 32)};
    for (int c = 0; c < kColumns; c++) {
      const __m256i a = Broadcast(x[c]->q + 4 * kQuad);
      for (int part = 0; part < kParts; part++) {
        __m256i product;
        if constexpr (kSigned<kType>) {
          product = _mm256_maddubs_epi16(_mm256_abs_epi8(w[part]), _mm256_sign_epi8(a, w[part]));
        } else {
          product = _mm256_maddubs_epi16(w[part], a);
        }
        if constexpr (kIndex % kProducts != 0) product = _mm256_add_epi16(pending[part][c], product);
        KeepOrder(product);
        pending[part][c] = product;
        if constexpr (kIndex % kProducts == kProducts - 1 || kQuad == kTo - 1) {
          const __m256i wide = _mm256_madd_epi16(product, one);
          dot[part][c] = kIndex < kProducts ? wide : _mm256_add_epi32(dot[part][c], wide);
        }
      }
    }
  };
  [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) __attribute__((always_inline)) {
    (quad.template operator()<kIndex>(), ...);
  }(std::make_integer_sequence<int, kTo - kFrom>());
  if constexpr (!kSigned<kType> && FormatOf(kType).zero_shift >= 0) {
    for (int c = 0; c < kColumns; c++) {
      const __m256i zero = _mm256_slli_epi32(_mm256_set1_epi32(x[c]->negative_sum[half]), FormatOf(kType).zero_shift);
      for (int part = 0; part < kParts; part++) dot[part][c] = _mm256_add_epi32(dot[part][c], zero);
    }
  }
}

INLINE void Store(float* out, size_t rows, const float* sum) {
  if (rows >= kTileRows) {
    _mm256_storeu_ps(out, _mm256_load_ps(sum));
    _mm256_storeu_ps(out + kPartRows, _mm256_load_ps(sum + kPartRows));
  } else {
    for (size_t r = 0; r < rows; r++) out[r] = sum[r];
  }
}

// Adds one block's products to sum[column][row].
template <DType kType, int kColumns>
INLINE void MultiplyBlock(const std::byte* tile, size_t blocks, size_t block,
                          const ActivationBlock* const (&x)[kColumns], float (&sum)[kColumns][kTileRows]) {
  constexpr TileFormat kFormat = FormatOf(kType);
  const std::byte* codes = tile + block * kFormat.CodeBytes();
  __m256i first[kParts][kColumns], second[kParts][kColumns];
  if constexpr (kFormat.HasHalves()) {
    Dot<kType, 0, 4>(codes, x, 0, first);
    Dot<kType, 4, 8>(codes, x, 1, second);
  } else {
    Dot<kType, 0, 8>(codes, x, kBothHalves, first);
  }
  for (int part = 0; part < kParts; part++) {
    Scales s;
    LoadScales<kType>(tile, blocks, block, static_cast<size_t>(part), s);
    for (int c = 0; c < kColumns; c++) {
      float* out = sum[c] + part * static_cast<int>(kPartRows);
      const __m256 scale = _mm256_broadcast_ss(&x[c]->scale);
      __m256 t = _mm256_mul_ps(_mm256_cvtepi32_ps(first[part][c]), s.scale[0]);
      if constexpr (kFormat.HasHalves()) t = _mm256_fmadd_ps(_mm256_cvtepi32_ps(second[part][c]), s.scale[1], t);
      __m256 total = _mm256_fmadd_ps(t, scale, _mm256_load_ps(out));
      if constexpr (kFormat.HasMinimum() && kFormat.HasHalves()) {
        total = _mm256_fmadd_ps(s.minimum[0], _mm256_broadcast_ss(&x[c]->sum[0]), total);
        total = _mm256_fmadd_ps(s.minimum[1], _mm256_broadcast_ss(&x[c]->sum[1]), total);
      } else if constexpr (kFormat.HasMinimum()) {
        total = _mm256_fmadd_ps(s.minimum[0], _mm256_broadcast_ss(&x[c]->sum[kBothHalves]), total);
      }
      _mm256_store_ps(out, total);
    }
  }
}

// kTiles tiles by kColumns columns at a time; with several tiles the weights arrive from memory in as many streams.
template <DType kType, int kTiles, int kColumns>
INLINE void Multiply(const QuantizedArgs& a, size_t tile, size_t column) {
  alignas(32) float sum[kTiles][kColumns][kTileRows] = {};
  const std::byte* base = a.tiles + tile * a.tile_stride;
  const ActivationBlock* x[kColumns];
  for (int c = 0; c < kColumns; c++) x[c] = a.x + (column + static_cast<size_t>(c)) * a.x_stride;
  for (size_t block = 0; block < a.blocks; block++) {
    for (int t = 0; t < kTiles; t++) {
      MultiplyBlock<kType, kColumns>(base + static_cast<size_t>(t) * a.tile_stride, a.blocks, block, x, sum[t]);
    }
    for (int c = 0; c < kColumns; c++) x[c]++;
  }
  for (int t = 0; t < kTiles; t++) {
    const size_t row = (tile + static_cast<size_t>(t)) * kTileRows;
    for (int c = 0; c < kColumns; c++) {
      Store(a.out + (column + static_cast<size_t>(c)) * a.out_stride + row, a.rows - row, sum[t][c]);
    }
  }
}

template <DType kType>
void MatMul(const QuantizedArgs& a) {
  size_t tile = 0;
  for (; a.columns == 1 && tile + 4 <= a.tile_count; tile += 4) Multiply<kType, 4, 1>(a, tile, 0);
  for (; tile < a.tile_count; tile++) {
    size_t column = 0;
    for (; column + 3 <= a.columns; column += 3) Multiply<kType, 1, 3>(a, tile, column);
    for (; column + 2 <= a.columns; column += 2) Multiply<kType, 1, 2>(a, tile, column);
    for (; column < a.columns; column++) Multiply<kType, 1, 1>(a, tile, column);
  }
}

template <DType kType, size_t... kQuad>
INLINE void ExpandPart(const std::byte* codes, const Scales& s, float* out, std::index_sequence<kQuad...>) {
  constexpr TileFormat kFormat = FormatOf(kType);
  const auto expand = [&](__m256i w, size_t quad) __attribute__((always_inline)) {
    const size_t half = kFormat.HasHalves() ? quad / 4 : 0;
    for (int column = 0; column < 4; column++) {
      __m256i code;
      if constexpr (kSigned<kType>) {
        code = _mm256_srai_epi32(_mm256_slli_epi32(w, 24 - 8 * column), 24);
      } else {
        code = _mm256_and_si256(_mm256_srli_epi32(w, 8 * column), _mm256_set1_epi32(255));
        if constexpr (kFormat.zero_shift >= 0) {
          code = _mm256_sub_epi32(code, _mm256_set1_epi32(1 << kFormat.zero_shift));
        }
      }
      __m256 value = _mm256_mul_ps(_mm256_cvtepi32_ps(code), s.scale[half]);
      if constexpr (kFormat.HasMinimum()) value = _mm256_add_ps(value, s.minimum[half]);
      _mm256_store_ps(out + (4 * quad + static_cast<size_t>(column)) * kTileRows, value);
    }
  };
  (expand(LoadQuad<kType, static_cast<int>(kQuad)>(codes), kQuad), ...);
}

template <DType kType>
void Expand(const std::byte* tile, size_t k, size_t begin, size_t end, float* out) {
  const size_t blocks = k / kBlockColumns;
  for (size_t block = begin / kBlockColumns; block < end / kBlockColumns; block++) {
    for (size_t part = 0; part < kParts; part++) {
      Scales s;
      LoadScales<kType>(tile, blocks, block, part, s);
      ExpandPart<kType>(tile + block * FormatOf(kType).CodeBytes() + part * 32, s, out + part * kPartRows,
                        std::make_index_sequence<kQuadsPerBlock>());
    }
    out += kBlockColumns * kTileRows;
  }
}

template <DType kType>
INLINE __m256 LoadWeights(const std::byte* p) {
  if constexpr (kType == DType::kF32) return _mm256_load_ps(reinterpret_cast<const float*>(p));
  if constexpr (kType == DType::kF16) return LoadF16(p);
  if constexpr (kType == DType::kBF16) return LoadBF16(p);
}

template <DType kType>
void Widen(const std::byte* tile, size_t, size_t begin, size_t end, float* out) {
  for (size_t i = begin * kTileRows; i < end * kTileRows; i += kPartRows, out += kPartRows) {
    _mm256_store_ps(out, LoadWeights<kType>(tile + i * 2));
  }
}

// f32: 16 rows by 6 columns is 12 sums, 2 weights and a broadcast in 16 registers. With one column it is several tiles,
// whose weights arrive in as many streams. x[k * width] and the kColumns values behind it are the activations.
template <int kTiles, int kColumns, class LoadWeights>
INLINE void MultiplyFloats(const float* x, size_t width, size_t k, LoadWeights load, bool add, float* out,
                           size_t out_stride, size_t rows) {
  __m256 sum[kTiles][kParts][kColumns];
  for (int t = 0; t < kTiles; t++) {
    for (int c = 0; c < kColumns; c++) sum[t][0][c] = sum[t][1][c] = _mm256_setzero_ps();
  }
  for (size_t i = 0; i < k; i++) {
#pragma GCC unroll 4
    for (int t = 0; t < kTiles; t++) {
      const __m256 w0 = load(static_cast<size_t>(t), i, 0), w1 = load(static_cast<size_t>(t), i, 1);
#pragma GCC unroll 6
      for (int c = 0; c < kColumns; c++) {
        const __m256 v = _mm256_broadcast_ss(x + c);
        sum[t][0][c] = _mm256_fmadd_ps(w0, v, sum[t][0][c]);
        sum[t][1][c] = _mm256_fmadd_ps(w1, v, sum[t][1][c]);
      }
    }
    x += width;
  }
  for (int t = 0; t < kTiles; t++) {
    const size_t row = static_cast<size_t>(t) * kTileRows;
    for (int c = 0; c < kColumns; c++) {
      float* to = out + static_cast<size_t>(c) * out_stride + row;
      if (rows - row >= kTileRows) {
        for (int part = 0; part < kParts; part++) {
          __m256 total = sum[t][part][c];
          if (add) total = _mm256_add_ps(_mm256_loadu_ps(to), total);
          _mm256_storeu_ps(to, total);
          to += kPartRows;
        }
      } else {
        alignas(32) float total[kTileRows];
        _mm256_store_ps(total, sum[t][0][c]);
        _mm256_store_ps(total + kPartRows, sum[t][1][c]);
        for (size_t r = 0; r < rows - row; r++) to[r] = add ? to[r] + total[r] : total[r];
      }
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
    const auto load = [&](size_t t, size_t i, size_t part) __attribute__((always_inline)) {
      const size_t offset = ((begin + i) * kTileRows + part * kPartRows) * kBytes;
      return LoadWeights<kType>(a.tiles + (tile + t) * a.tile_stride + offset);
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
        multiply.template operator()<6>();
        multiply.template operator()<4>();
        multiply.template operator()<2>();
        multiply.template operator()<1>();
      }
    }
  }
}

}  // namespace

constinit const MatMulKernels kMatMulKernels = BOTHY_MATMUL_KERNELS(MatMul, Expand, Widen, MatMulFloats);

}  // namespace bothy::avx2
