// Matrix products in plain C++: what the kernels for instruction sets are checked with.
#include <cmath>

#include "base/half.h"
#include "tensor/kernels/matmul.h"
#include "tensor/kernels/unpack.h"

namespace bothy::scalar {
namespace {

template <DType kType>
float DotRow(const QuantizedArgs& a, const std::byte* tile, size_t row, const ActivationBlock* x) {
  constexpr TileFormat kFormat = FormatOf(kType);
  constexpr int kZero = kFormat.zero_shift < 0 ? 0 : 1 << kFormat.zero_shift;
  float sum = 0;
  for (size_t block = 0; block < a.blocks; block++) {
    uint8_t codes[kBlockColumns];
    UnpackCodes(kType, tile, block, row, codes);
    const RowScales s = UnpackScales(kType, tile, a.blocks, block, row);
    int dot[2] = {};
    for (size_t k = 0; k < kBlockColumns; k++) dot[k / 16] += (codes[k] - kZero) * x[block].q[k];
    if constexpr (kFormat.HasHalves()) {
      const float t = std::fma(static_cast<float>(dot[1]), s.scale[1], static_cast<float>(dot[0]) * s.scale[0]);
      sum = std::fma(t, x[block].scale, sum);
      if constexpr (kFormat.HasMinimum()) {
        sum = std::fma(s.minimum[1], x[block].sum[1], std::fma(s.minimum[0], x[block].sum[0], sum));
      }
    } else {
      sum = std::fma(static_cast<float>(dot[0] + dot[1]) * s.scale[0], x[block].scale, sum);
      if constexpr (kFormat.HasMinimum()) sum = std::fma(s.minimum[0], x[block].sum[kBothHalves], sum);
    }
  }
  return sum;
}

template <DType kType>
void MatMul(const QuantizedArgs& a) {
  for (size_t row = 0; row < a.rows; row++) {
    const std::byte* tile = a.tiles + row / kTileRows * a.tile_stride;
    for (size_t column = 0; column < a.columns; column++) {
      a.out[column * a.out_stride + row] = DotRow<kType>(a, tile, row % kTileRows, a.x + column * a.x_stride);
    }
  }
}

template <DType kType>
void Expand(const std::byte* tile, size_t k, size_t begin, size_t end, float* out) {
  const size_t blocks = k / kBlockColumns;
  for (size_t block = begin / kBlockColumns; block < end / kBlockColumns; block++) {
    for (size_t r = 0; r < kTileRows; r++) {
      float values[kBlockColumns];
      UnpackBlock(kType, tile, blocks, block, r, values);
      for (size_t i = 0; i < kBlockColumns; i++) out[i * kTileRows + r] = values[i];
    }
    out += kBlockColumns * kTileRows;
  }
}

template <DType kType>
float LoadWeight(const std::byte* tile, size_t index) {
  if constexpr (kType == DType::kF32) return reinterpret_cast<const float*>(tile)[index];
  const uint16_t bits = reinterpret_cast<const uint16_t*>(tile)[index];
  return kType == DType::kF16 ? FromF16(bits) : FromBF16(bits);
}

template <DType kType>
void Widen(const std::byte* tile, size_t, size_t begin, size_t end, float* out) {
  for (size_t i = begin * kTileRows; i < end * kTileRows; i++) *out++ = LoadWeight<kType>(tile, i);
}

template <DType kType>
void MatMulFloats(const FloatArgs& a) {
  for (size_t begin = 0; begin < a.k; begin += kFloatChunk) {
    const size_t end = std::min(a.k, begin + kFloatChunk);
    for (size_t row = 0; row < a.rows; row++) {
      const std::byte* tile = a.tiles + row / kTileRows * a.tile_stride;
      for (size_t column = 0; column < a.columns; column++) {
        const size_t lane = column % kPanelColumns, panel = a.column + column - lane;
        const size_t width = PanelWidth(panel, a.x_columns);
        const float* x = a.x + PanelOffset(a.x_k, a.x_columns, a.begin + begin, panel) + lane;
        float sum = 0;
        for (size_t k = begin; k < end; k++) {
          sum = std::fma(LoadWeight<kType>(tile, k * kTileRows + row % kTileRows), x[(k - begin) * width], sum);
        }
        float& out = a.out[column * a.out_stride + row];
        out = a.begin + begin > 0 ? out + sum : sum;
      }
    }
  }
}

}  // namespace

constinit const MatMulKernels kMatMulKernels = BOTHY_MATMUL_KERNELS(MatMul, Expand, Widen, MatMulFloats);

}  // namespace bothy::scalar
