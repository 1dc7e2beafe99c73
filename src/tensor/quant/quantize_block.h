// One block of each quantized type from the f32 values of its elements; Quantize of quant.h walks rows of them.
//
// The choice of scales is that of ggml's reference quantizers without an importance matrix (ggml/src/ggml-quants.c),
// operation by operation, because files made from the same weights should have the same bytes everywhere.
#pragma once

#include "tensor/quant/blocks.h"

namespace bothy {

void QuantizeBlock(const float* x, BlockQ4_0& out);
void QuantizeBlock(const float* x, BlockQ4_1& out);
void QuantizeBlock(const float* x, BlockQ5_0& out);
void QuantizeBlock(const float* x, BlockQ5_1& out);
void QuantizeBlock(const float* x, BlockQ8_0& out);
void QuantizeBlock(const float* x, BlockMXFP4& out);
void QuantizeBlock(const float* x, BlockQ2_K& out);
void QuantizeBlock(const float* x, BlockQ3_K& out);
void QuantizeBlock(const float* x, BlockQ4_K& out);
void QuantizeBlock(const float* x, BlockQ5_K& out);
void QuantizeBlock(const float* x, BlockQ6_K& out);
void QuantizeBlock(const float* x, BlockIQ4_XS& out);

// Four at a time, so that a lane can have one each.
void QuantizeBlocks(const float* x, BlockIQ4_NL (&out)[4]);

// With the scale that gives the extreme the lowest level, refitted but not searched for: what ggml does to values that
// come up while a model runs (from_float), which have no time for a search.
void QuantizeBlockOnce(const float* x, BlockIQ4_NL& out);

}  // namespace bothy
