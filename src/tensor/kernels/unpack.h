// Codes and scales of packed weights, read one row at a time in plain C++: the reference that kernels are checked with,
// and what fetches single rows (embeddings).
#pragma once

#include "tensor/tile_format.h"

namespace bothy {

// Columns [32 * block, 32 * block + 32) of row `row` (0 to 15) of a tile, as codes, before zero and scale.
void UnpackCodes(DType type, const std::byte* tile, size_t block, size_t row, uint8_t (&codes)[kBlockColumns]);

// scale and minimum of both halves of that block.
struct RowScales {
  float scale[2];
  float minimum[2];
};
RowScales UnpackScales(DType type, const std::byte* tile, size_t blocks, size_t block, size_t row);

// The weights of that block in f32, as the source format defines them.
void UnpackBlock(DType type, const std::byte* tile, size_t blocks, size_t block, size_t row, float* out);

}  // namespace bothy
