// The matrix product kernels of each instruction set, as tables that tensor/matmul.cc chooses from.
#pragma once

#include "tensor/isa.h"
#include "tensor/tile_format.h"

namespace bothy {

struct MatMulKernels {
  // By the tile's type.
  QuantizedKernel quantized[kDTypeCount];  // null for F32, F16 and BF16
  ExpandKernel expand[kDTypeCount];        // null for F32
  FloatKernel f32, f16, bf16;
};

// Tables are constants: a file compiled for an instruction set must not run code of its own at start.
const MatMulKernels& MatMulKernelsFor(Isa isa);

namespace scalar {
extern const MatMulKernels kMatMulKernels;
}
namespace avx2 {
extern const MatMulKernels kMatMulKernels;
}
namespace avx512 {
extern const MatMulKernels kMatMulKernels;
}

}  // namespace bothy

// Fills the table of an instruction set from its templates, which take the weights' type.
#define BOTHY_MATMUL_KERNELS(quantized_template, expand_template, widen_template, float_template) \
  [] {                                                                                            \
    MatMulKernels table = {};                                                                     \
    const auto set = [&table](DType type, QuantizedKernel quantized, ExpandKernel expand) {       \
      table.quantized[static_cast<int>(type)] = quantized;                                        \
      table.expand[static_cast<int>(type)] = expand;                                              \
    };                                                                                            \
    set(DType::kQ4_0, quantized_template<DType::kQ4_0>, expand_template<DType::kQ4_0>);           \
    set(DType::kQ4_1, quantized_template<DType::kQ4_1>, expand_template<DType::kQ4_1>);           \
    set(DType::kQ5_0, quantized_template<DType::kQ5_0>, expand_template<DType::kQ5_0>);           \
    set(DType::kQ5_1, quantized_template<DType::kQ5_1>, expand_template<DType::kQ5_1>);           \
    set(DType::kQ8_0, quantized_template<DType::kQ8_0>, expand_template<DType::kQ8_0>);           \
    set(DType::kQ2_K, quantized_template<DType::kQ2_K>, expand_template<DType::kQ2_K>);           \
    set(DType::kQ3_K, quantized_template<DType::kQ3_K>, expand_template<DType::kQ3_K>);           \
    set(DType::kQ4_K, quantized_template<DType::kQ4_K>, expand_template<DType::kQ4_K>);           \
    set(DType::kQ5_K, quantized_template<DType::kQ5_K>, expand_template<DType::kQ5_K>);           \
    set(DType::kQ6_K, quantized_template<DType::kQ6_K>, expand_template<DType::kQ6_K>);           \
    set(DType::kIQ4_NL, quantized_template<DType::kIQ4_NL>, expand_template<DType::kIQ4_NL>);     \
    set(DType::kIQ4_XS, quantized_template<DType::kIQ4_XS>, expand_template<DType::kIQ4_XS>);     \
    set(DType::kMXFP4, quantized_template<DType::kMXFP4>, expand_template<DType::kMXFP4>);        \
    set(DType::kF16, nullptr, widen_template<DType::kF16>);                                       \
    set(DType::kBF16, nullptr, widen_template<DType::kBF16>);                                     \
    table.f32 = float_template<DType::kF32>;                                                      \
    table.f16 = float_template<DType::kF16>;                                                      \
    table.bf16 = float_template<DType::kBF16>;                                                    \
    return table;                                                                                 \
  }()
