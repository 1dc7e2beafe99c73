#include "tensor/matmul.h"

#include <algorithm>

#include "tensor/kernels/matmul.h"

namespace bothy {
namespace {

// Columns are taken in runs whose activations stay in the second-level cache while all tiles pass by.
constexpr size_t kRunBytes = size_t{384} << 10;
constexpr size_t kMinRunColumns = 2 * kPanelColumns;
// Tiles of one unit of work: enough to hide handing it out, few enough that threads end together.
constexpr size_t kTilesPerUnit = 4;

size_t UnitTiles(const PackedMatrix& w, size_t columns) {
  // One column passes over the weights once, at the speed of memory: longer runs serve the prefetchers.
  return columns == 1 && w.tiles() >= 256 ? 2 * kTilesPerUnit : kTilesPerUnit;
}

void MultiplyQuantized(const MatMulKernels& kernels, const Activations& x, const Product& product, size_t tile,
                       size_t tiles, size_t column, size_t columns) {
  const PackedMatrix& w = *product.w;
  const size_t blocks = x.k / kBlockColumns;
  kernels.quantized[static_cast<size_t>(w.type())]({
      .tiles = w.tile(tile),
      .tile_stride = w.tile_bytes(),
      .tile_count = tiles,
      .rows = std::min(w.rows() - tile * kTileRows, tiles * kTileRows),
      .blocks = blocks,
      .x = x.quantized + column * blocks,
      .x_stride = blocks,
      .columns = columns,
      .out = product.out + column * product.out_stride + tile * kTileRows,
      .out_stride = product.out_stride,
  });
}

void MultiplyFloats(const MatMulKernels& kernels, const Activations& x, const Product& product, size_t tile,
                    size_t tiles, size_t column, size_t columns) {
  const PackedMatrix& w = *product.w;
  FloatArgs args = {
      .tiles = w.tile(tile),
      .tile_stride = w.tile_bytes(),
      .tile_count = tiles,
      .rows = std::min(w.rows() - tile * kTileRows, tiles * kTileRows),
      .begin = 0,
      .k = x.k,
      .x = x.columns == 1 ? x.values : x.panels,
      .x_k = x.k,
      .x_columns = x.columns,
      .column = column,
      .columns = columns,
      .out = product.out + column * product.out_stride + tile * kTileRows,
      .out_stride = product.out_stride,
  };
  switch (w.type()) {
    case DType::kF32: return kernels.f32(args);
    case DType::kF16: return kernels.f16(args);
    case DType::kBF16: return kernels.bf16(args);
    default: break;
  }
  // Quantized weights are expanded a chunk at a time, and then are weights like any other.
  alignas(64) float chunk[kFloatChunk * kTileRows];
  args.tiles = reinterpret_cast<const std::byte*>(chunk);
  args.tile_count = 1;
  for (size_t t = 0; t < tiles; t++) {
    args.rows = std::min(w.rows() - (tile + t) * kTileRows, kTileRows);
    args.out = product.out + column * product.out_stride + (tile + t) * kTileRows;
    for (args.begin = 0; args.begin < x.k; args.begin += kFloatChunk) {
      args.k = std::min(x.k - args.begin, kFloatChunk);
      kernels.expand[static_cast<size_t>(w.type())](w.tile(tile + t), x.k / kBlockColumns, args.begin / kBlockColumns,
                                                    (args.begin + args.k) / kBlockColumns, chunk);
      kernels.f32(args);
    }
  }
}

}  // namespace

const MatMulKernels& MatMulKernelsFor(Isa isa) {
  switch (isa) {
    case Isa::kScalar: return scalar::kMatMulKernels;
    case Isa::kAvx2: return avx2::kMatMulKernels;
    case Isa::kAvx512: return avx512::kMatMulKernels;
  }
  return scalar::kMatMulKernels;
}

void PackColumn(const float* values, size_t k, size_t column, size_t columns, float* panels) {
  const size_t lane = column % kPanelColumns, width = PanelWidth(column - lane, columns);
  for (size_t begin = 0; begin < k; begin += kFloatChunk) {
    float* out = panels + PanelOffset(k, columns, begin, column - lane) + lane;
    for (size_t i = begin; i < std::min(k, begin + kFloatChunk); i++) out[(i - begin) * width] = values[i];
  }
}

bool NeedsQuantized(const PackedMatrix& w, Precision precision) {
  return precision == Precision::kFast && IsQuantized(w.type());
}

void MatMul(ThreadPool& pool, const Activations& x, std::span<const Product> products, Precision precision) {
  if (x.columns == 0) return;
  const MatMulKernels& kernels = MatMulKernelsFor(CurrentIsa());
  // Of f32 only a chunk of each column is in use at a time.
  const bool quantized =
      std::ranges::any_of(products, [&](const Product& p) { return NeedsQuantized(*p.w, precision); });
  const size_t column_bytes = quantized ? x.k * sizeof(ActivationBlock) / kBlockColumns : kFloatChunk * sizeof(float);
  const size_t most = std::max(kMinRunColumns, kRunBytes / column_bytes / kMinRunColumns * kMinRunColumns);
  // Of equal length: what is done once a run, such as expanding weights, weighs most in a short one.
  const size_t runs = (x.columns + most - 1) / most;
  const size_t run = ((x.columns + runs - 1) / runs + kMinRunColumns - 1) / kMinRunColumns * kMinRunColumns;
  size_t units = 0;
  for (const Product& product : products) {
    const size_t unit = UnitTiles(*product.w, x.columns);
    units += (product.w->tiles() + unit - 1) / unit;
  }
  pool.ParallelFor(units * runs, [&](size_t task, int) {
    const size_t column = task / units * run;
    const size_t columns = std::min(run, x.columns - column);
    size_t index = task % units;
    for (const Product& product : products) {
      const size_t unit = UnitTiles(*product.w, x.columns);
      const size_t own = (product.w->tiles() + unit - 1) / unit;
      if (index >= own) {
        index -= own;
        continue;
      }
      const size_t tile = index * unit;
      const size_t tiles = std::min(unit, product.w->tiles() - tile);
      if (NeedsQuantized(*product.w, precision)) {
        MultiplyQuantized(kernels, x, product, tile, tiles, column, columns);
      } else {
        MultiplyFloats(kernels, x, product, tile, tiles, column, columns);
      }
      return;
    }
  });
}

}  // namespace bothy
