#include "tensor/matmul.h"

#include <algorithm>

#include "tensor/kernels/matmul.h"

namespace bothy {
namespace {

// Columns are taken in runs whose activations stay in the second-level cache while all tiles pass by.
constexpr size_t kRunBytes = size_t{400} << 10;
constexpr size_t kMinRunColumns = 2 * kPanelColumns;
// Tiles of one unit of work: enough to hide handing it out, few enough that threads end together.
constexpr size_t kTilesPerUnit = 4;
// Where one pass over the activations serves all tiles of a unit, or over the weights their only column.
constexpr size_t kTilesPerLongUnit = 8;
// Up to here f32 products read weights as they are stored; more columns share one expansion.
constexpr size_t kFewColumns = 6;
// What a column takes of the cache while f32 products are made: a chunk of it, and the sums of a unit.
constexpr size_t kFloatColumnBytes = (kFloatChunk + kTilesPerLongUnit * kTileRows) * sizeof(float);
constexpr size_t kMaxFloatRun = kRunBytes / kFloatColumnBytes / kMinRunColumns * kMinRunColumns;

size_t UnitTiles(const PackedMatrix& w, size_t columns, Precision precision, size_t threads) {
  const bool streams = columns == 1 && w.tiles() >= 256;  // at the speed of memory: long runs serve the prefetchers
  const bool shares = columns > kFewColumns && !NeedsQuantized(w, precision);
  return std::clamp<size_t>(w.tiles() / (2 * threads), 1, streams || shares ? kTilesPerLongUnit : kTilesPerUnit);
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
  const bool few = columns <= kFewColumns;
  if (w.type() == DType::kF32 && few) return kernels.f32(args);
  if (w.type() == DType::kF16 && few) return kernels.f16(args);
  if (w.type() == DType::kBF16 && few) return kernels.bf16(args);

  // A chunk of a tile is expanded once for all columns. Sums are collected in one piece of memory: columns of the
  // output lie pages apart, in the same few lines of each cache.
  alignas(64) float weights[kFloatChunk * kTileRows];
  alignas(64) float sums[kTilesPerLongUnit][kMaxFloatRun * kTileRows];
  args.tile_count = 1;
  args.rows = kTileRows;
  args.out_stride = kTileRows;
  for (args.begin = 0; args.begin < x.k; args.begin += kFloatChunk) {
    args.k = std::min(x.k - args.begin, kFloatChunk);
    for (size_t t = 0; t < tiles; t++) {
      if (w.type() == DType::kF32) {
        args.tiles = w.tile(tile + t) + args.begin * kTileRows * sizeof(float);
      } else {
        kernels.expand[static_cast<size_t>(w.type())](w.tile(tile + t), x.k, args.begin, args.begin + args.k, weights);
        args.tiles = reinterpret_cast<const std::byte*>(weights);
      }
      args.out = sums[t];
      kernels.f32(args);
    }
  }
  for (size_t c = 0; c < columns; c++) {
    float* out = product.out + (column + c) * product.out_stride;
    for (size_t t = 0; t < tiles; t++) {
      const size_t row = (tile + t) * kTileRows;
      std::copy_n(sums[t] + c * kTileRows, std::min(w.rows() - row, kTileRows), out + row);
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
  size_t column_bytes = 0;
  for (const Product& product : products) {
    const bool quantized = NeedsQuantized(*product.w, precision);
    column_bytes =
        std::max(column_bytes, quantized ? x.k * sizeof(ActivationBlock) / kBlockColumns : kFloatColumnBytes);
  }
  const size_t most = std::max(kMinRunColumns, kRunBytes / column_bytes / kMinRunColumns * kMinRunColumns);
  // Of equal length: what is done once a run, such as expanding weights, weighs most in a short one.
  const size_t runs = (x.columns + most - 1) / most;
  const size_t run = ((x.columns + runs - 1) / runs + kMinRunColumns - 1) / kMinRunColumns * kMinRunColumns;
  const auto unit_tiles = [&](const PackedMatrix& w) {
    return UnitTiles(w, x.columns, precision, static_cast<size_t>(pool.threads()));
  };
  size_t units = 0;
  for (const Product& product : products) {
    const size_t unit = unit_tiles(*product.w);
    units += (product.w->tiles() + unit - 1) / unit;
  }
  pool.ParallelFor(units * runs, [&](size_t task, int) {
    const size_t column = task / units * run;
    const size_t columns = std::min(run, x.columns - column);
    size_t index = task % units;
    for (const Product& product : products) {
      const size_t unit = unit_tiles(*product.w);
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
