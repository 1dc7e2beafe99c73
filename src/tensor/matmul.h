// Products of activations with packed weights: the one operation that decides how fast a model is.
#pragma once

#include <cstddef>
#include <span>

#include "tensor/packed_matrix.h"
#include "tensor/thread_pool.h"
#include "tensor/tile_format.h"

namespace bothy {

// How products with quantized weights are computed.
enum class Precision {
  kFast,   // activations are quantized to 8 bits, in blocks of 32 with an f32 scale
  kExact,  // weights are expanded and activations stay f32: what a reference library computes
};

// Activations of `columns` tokens, k values each.
struct Activations {
  const float* values = nullptr;  // [columns][k]
  size_t columns = 0;
  size_t k = 0;
  const ActivationBlock* quantized = nullptr;  // [columns][k / 32]; may be null where no matrix needs it
  const float* panels = nullptr;  // the values again, as PackColumn puts them; may be null for one column, or likewise
};

// Writes one column of activations, k values, to where panels of `columns` columns have it (tensor/tile_format.h);
// panels are columns * k floats.
void PackColumn(const float* values, size_t k, size_t column, size_t columns, float* panels);

// out[column][row] for every row of w; consecutive columns are out_stride floats apart.
struct Product {
  const PackedMatrix* w = nullptr;
  float* out = nullptr;
  size_t out_stride = 0;
};

// Whether MatMul with this matrix reads Activations::quantized (true) or Activations::panels (values for one column).
bool NeedsQuantized(const PackedMatrix& w, Precision precision);

// All products of the same activations in one go: q, k and v, or gate and up, share them and the threads. The result
// for a column is the same bits whatever the number of threads and of other columns.
void MatMul(ThreadPool& pool, const Activations& x, std::span<const Product> products, Precision precision);

}  // namespace bothy
