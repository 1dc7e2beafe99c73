#include "tensor/packed_matrix.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <vector>

#include "base/half.h"
#include "tensor/kernels/unpack.h"
#include "tensor/packing.h"
#include "tensor/quant/quant.h"
#include "tensor/tile_format.h"

namespace bothy {
namespace {

size_t PlainBytes(DType type) { return type == DType::kF32 ? 4 : 2; }

// Element r of row k of the tile is column k of row r of the source: turned round. Rows beyond `count` stay zero.
template <class Bits>
void PackPlain(const std::byte* source, size_t count, size_t columns, std::byte* tile) {
  for (size_t k = 0; k < columns; k++) {
    for (size_t r = 0; r < count; r++) {
      std::memcpy(tile + (k * kTileRows + r) * sizeof(Bits), source + (r * columns + k) * sizeof(Bits), sizeof(Bits));
    }
  }
}

float LoadPlain(DType type, const std::byte* tile, size_t index) {
  if (type == DType::kF32) return reinterpret_cast<const float*>(tile)[index];
  const uint16_t bits = reinterpret_cast<const uint16_t*>(tile)[index];
  return type == DType::kF16 ? FromF16(bits) : FromBF16(bits);
}

}  // namespace

Result<PackedMatrix> PackedMatrix::Pack(DType type, uint64_t rows, uint64_t columns, const RowReader& read,
                                        ThreadPool& pool) {
  const std::optional<uint64_t> row_bytes = RowBytes(type, columns);
  if (!row_bytes || rows == 0 || columns == 0 || rows > (uint64_t{1} << 40) / columns) {
    return Fail(ErrorCode::kInvalidArgument, "a matrix of {} x {} cannot be stored as {}", rows, columns,
                DTypeName(type));
  }
  if (!CanDequantize(type)) {
    return Fail(ErrorCode::kUnimplemented, "weights of type {} are not supported", DTypeName(type));
  }
  PackedMatrix matrix;
  const bool keep = IsQuantized(type) || type == DType::kF16 || type == DType::kBF16;
  matrix.type_ = keep ? type : DType::kF32;
  matrix.rows_ = rows;
  matrix.columns_ = columns;
  matrix.tile_bytes_ = IsQuantized(type) ? FormatOf(type).TileBytes(columns / kBlockColumns)
                                         : (columns * kTileRows * PlainBytes(matrix.type_) + 63) / 64 * 64;
  matrix.buffer_ = TRY(Buffer::Allocate(matrix.bytes()));

  std::mutex mutex;
  Result<void> outcome;
  std::atomic<bool> failed = false;
  const auto pack_tile = [&](size_t index) -> Result<void> {
    const uint64_t first = index * kTileRows, count = std::min<uint64_t>(kTileRows, rows - first);
    std::vector<std::byte> source(count * *row_bytes);
    TRY(read(first, count, source));
    std::byte* tile = matrix.buffer_.data() + index * matrix.tile_bytes_;
    if (IsQuantized(type)) {
      for (uint64_t r = 0; r < count; r++) PackRow(type, source.data() + r * *row_bytes, columns, tile, r);
    } else if (PlainBytes(matrix.type_) == 2) {
      PackPlain<uint16_t>(source.data(), count, columns, tile);
    } else if (type == DType::kF32) {
      PackPlain<uint32_t>(source.data(), count, columns, tile);
    } else {
      std::vector<float> values(count * columns);
      Dequantize(type, source.data(), values.size(), values.data());
      PackPlain<uint32_t>(reinterpret_cast<const std::byte*>(values.data()), count, columns, tile);
    }
    return {};
  };
  pool.ParallelFor(matrix.tiles(), [&](size_t index, int) {
    if (failed) return;
    Result<void> result = pack_tile(index);
    if (result) return;
    failed = true;
    const std::scoped_lock lock(mutex);
    if (outcome) outcome = std::move(result);
  });
  TRY(std::move(outcome));
  return matrix;
}

void PackedMatrix::UnpackRow(size_t row, float* out) const {
  DCHECK(row < rows_);
  const std::byte* t = tile(row / kTileRows);
  const size_t r = row % kTileRows;
  if (IsQuantized(type_)) {
    const size_t blocks = columns_ / kBlockColumns;
    for (size_t block = 0; block < blocks; block++)
      UnpackBlock(type_, t, blocks, block, r, out + block * kBlockColumns);
  } else {
    for (size_t k = 0; k < columns_; k++) out[k] = LoadPlain(type_, t, k * kTileRows + r);
  }
}

}  // namespace bothy
