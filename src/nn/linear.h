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

// In which forms products read their activations, besides plain rows.
struct ActivationForms {
  bool quantized = false;
  bool panels = false;
};

inline ActivationForms FormsFor(std::initializer_list<const PackedMatrix*> matrices, Precision precision) {
  ActivationForms forms;
  for (const PackedMatrix* matrix : matrices) {
    (NeedsQuantized(*matrix, precision) ? forms.quantized : forms.panels) = true;
  }
  return forms;
}

// Rows of activations that some products will read, in all forms that these want. Memory is made once for `rows` of
// `width`; Set says how many rows there are now and how wide.
class ActivationRows {
 public:
  ActivationRows() = default;
  ActivationRows(size_t rows, size_t width)
      : values_(rows * width), panels_(rows * width), blocks_(rows * ((width + kBlockColumns - 1) / kBlockColumns)) {}

  void Set(size_t rows, size_t width, ActivationForms forms) {
    DCHECK(rows * width <= values_.size());
    rows_ = rows;
    width_ = width;
    forms_ = forms;
    if (rows == 1) forms_.panels = false;  // a single row is its panel
  }
  float* row(size_t r) { return values_.data() + r * width_; }

  // Call when row r is written and before products read it.
  void Finish(size_t r) {
    if (forms_.quantized) QuantizeActivations(row(r), width_, blocks_.data() + r * (width_ / kBlockColumns));
    if (forms_.panels) PackColumn(row(r), width_, r, rows_, panels_.data());
  }
  Activations View() const {
    return {values_.data(), rows_, width_, forms_.quantized ? blocks_.data() : nullptr,
            forms_.panels ? panels_.data() : nullptr};
  }

 private:
  std::vector<float> values_;
  std::vector<float> panels_;
  std::vector<ActivationBlock> blocks_;
  size_t rows_ = 0;
  size_t width_ = 0;
  ActivationForms forms_;
};

}  // namespace bothy
