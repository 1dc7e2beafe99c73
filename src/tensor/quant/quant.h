// Stored numbers to f32, for every type that an array of a checkpoint can have, and f32 to the types that GGUF files
// store weights in; both exactly as the formats' reference has it.
#pragma once

#include <cstddef>

#include "base/dtype.h"

namespace bothy {

// All types are numbers but kC64.
bool CanDequantize(DType type);

// Writes `elements` f32 values read from `bytes`, which has RowBytes(type, elements) bytes and need not be aligned.
// `elements` is a multiple of the type's block, `type` is one that CanDequantize. The values are those of PyPI gguf's
// `quants.dequantize`, bit for bit; f64 and wide integers round to nearest even; a bool is 0 or 1. Any bytes are fine.
void Dequantize(DType type, const std::byte* bytes, size_t elements, float* out);

inline constexpr float kGreatestWeight = 0x1p40f;  // far beyond what any block type but MXFP4 can hold

// F32, F16, BF16 and all block types.
bool CanQuantize(DType type);

// Writes RowBytes(type, elements) bytes, the same that ggml's quantizers write without an importance matrix.
// `elements` is a multiple of the type's block; a block never depends on another, so rows may be cut anywhere between
// blocks. `values` must be finite. Where one is too large for the type, a scale (or an f16) becomes infinite: ask
// AllFinite. Above kGreatestWeight sums of squares overflow, and what comes out is finite and worthless.
void Quantize(DType type, const float* values, size_t elements, std::byte* out);

// Whether every scale of the blocks (or every float) is finite.
bool AllFinite(DType type, const std::byte* bytes, size_t elements);

}  // namespace bothy
