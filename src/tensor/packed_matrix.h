// A weight matrix in the form its kernels read: tiles of 16 rows, in huge pages, nearly to the byte the size of the
// file.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/dtype.h"
#include "base/error.h"
#include "tensor/buffer.h"
#include "tensor/thread_pool.h"

namespace bothy {

// Reads rows [first, first + count) of a matrix, as the file stores them, one behind the other. Called from several
// threads at once.
using RowReader = std::function<Result<void>(uint64_t first, uint64_t count, std::span<std::byte> out)>;

class PackedMatrix {
 public:
  PackedMatrix() = default;

  // Packs W of `rows` x `columns` stored as `type`, in parallel; the source is read once, tile by tile. Quantized
  // types, F32, F16 and BF16 keep their bits; every other type becomes F32. kInvalidArgument where a row is no whole
  // number of blocks.
  static Result<PackedMatrix> Pack(DType type, uint64_t rows, uint64_t columns, const RowReader& read,
                                   ThreadPool& pool);

  DType type() const { return type_; }  // of the tiles
  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  size_t tiles() const { return (rows_ + 15) / 16; }
  size_t tile_bytes() const { return tile_bytes_; }
  const std::byte* tile(size_t index) const { return buffer_.data() + index * tile_bytes_; }
  size_t bytes() const { return tiles() * tile_bytes_; }

  // Row `row` in f32, `columns()` of them: what an embedding table is asked for.
  void UnpackRow(size_t row, float* out) const;

 private:
  DType type_ = DType::kF32;
  size_t rows_ = 0;
  size_t columns_ = 0;
  size_t tile_bytes_ = 0;
  Buffer buffer_;
};

}  // namespace bothy
