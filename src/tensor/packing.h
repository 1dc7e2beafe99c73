// From blocks as files store them to the tiles that kernels read.
#pragma once

#include <cstddef>

#include "base/dtype.h"

namespace bothy {

// Writes one row of `columns` weights, stored as quantized `type`, into row `row` (0 to 15) of a zeroed tile.
void PackRow(DType type, const std::byte* source, size_t columns, std::byte* tile, size_t row);

}  // namespace bothy
