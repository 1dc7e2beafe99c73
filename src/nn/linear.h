// A linear layer: y = x W^T + b, with W packed for its kernel.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "tensor/matmul.h"
#include "tensor/ops.h"
#include "tensor/packed_matrix.h"

namespace bothy {

struct Linear {
  PackedMatrix weight;      // [out][in]
  std::vector<float> bias;  // [out], or empty

  size_t out() const { return weight.rows(); }
  size_t in() const { return weight.columns(); }

  // Adds the bias to one row of products.
  void AddBias(float* row) const {
    if (!bias.empty()) Add(row, bias.data(), bias.size());
  }
};

// Rows of activations that some products will read: in f32, and in 8 bits where one of those wants that. Memory is made
// once for `rows` of `width`; Set says how many rows there are now and how wide.
class ActivationRows {
 public:
  ActivationRows() = default;
  ActivationRows(size_t rows, size_t width)
      : values_(rows * width), blocks_(rows * ((width + kBlockColumns - 1) / kBlockColumns)) {}

  void Set(size_t rows, size_t width, bool quantize) {
    DCHECK(rows * width <= values_.size());
    rows_ = rows;
    width_ = width;
    quantize_ = quantize;
  }
  float* row(size_t r) { return values_.data() + r * width_; }

  // Call when row r is written and before products read it.
  void Finish(size_t r) {
    if (quantize_) QuantizeActivations(row(r), width_, blocks_.data() + r * (width_ / kBlockColumns));
  }
  Activations View() const { return {values_.data(), rows_, width_, quantize_ ? blocks_.data() : nullptr}; }

 private:
  std::vector<float> values_;
  std::vector<ActivationBlock> blocks_;
  size_t rows_ = 0;
  size_t width_ = 0;
  bool quantize_ = false;
};

// Whether one of these layers reads its activations in 8 bits.
inline bool AnyNeedsQuantized(std::initializer_list<const Linear*> layers, Precision precision) {
  for (const Linear* layer : layers) {
    if (NeedsQuantized(layer->weight, precision)) return true;
  }
  return false;
}

}  // namespace bothy
