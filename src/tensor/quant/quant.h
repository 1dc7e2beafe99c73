// Stored numbers to f32: every type that an array of a checkpoint can have, exactly as its format defines them.
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

}  // namespace bothy
