// How packed weights lie in memory: the contract between packing (packed_matrix.cc) and the kernels (kernels/).
//
// A tile holds 16 rows of a weight matrix. Quantized codes go in blocks of 32 columns; a vector of 64 bytes holds a
// "quad": 4 consecutive columns of 16 rows, row after row, which is what one vpdpbusd multiplies with 4 activations
// broadcast to all rows. One layout serves one column or many, AVX2 (half a quad) or AVX-512, without a shuffle.
// A tile is three planes, one behind the other: the codes of all blocks, the scales of all blocks, and the scales of
// all super-blocks (256 columns) where the format has them. Its size is that of the source format, to the byte.
//
// This header is included by files compiled for one instruction set: constants only, nothing that a linker could share.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"

// Kept out of the symbol table: see above.
#define BOTHY_ALWAYS_INLINE __attribute__((always_inline)) inline

namespace bothy {

inline constexpr size_t kTileRows = 16;
inline constexpr size_t kBlockColumns = 32;
inline constexpr size_t kQuadsPerBlock = 8;
inline constexpr size_t kQuadBytes = 64;
inline constexpr size_t kBlocksPerSuper = 8;

// A weight is scale * (code - zero) + minimum, and in table formats the code stands for kTable[code].
enum class Scaling : uint8_t {
  kF16,     // block: f16 scale[16]
  kBF16,    // block: bf16 scale[16] (holds every power of two of MXFP4)
  kF16Min,  // block: f16 scale[16], f16 minimum[16]
  kS32,     // block: i8 s[16]; super-block: f16 d[16]; scale = d * s
  kS16,     // the same for each half block of 16 columns: i8 s[2][16]
  kS32Min,  // block: u8 s[16], u8 m[16]; super-block: f16 d[16], f16 e[16]; scale = d * s, minimum = e * m
  kS16Min,  // the same for each half block, s in the low and m in the high nibbles of u8 [2][16]
};

struct TileFormat {
  // Bits of a code: 2 = a plane of two-bit fields; 3 = that and a plane of single bits; 4 = a plane of nibbles; 5 and 6
  // = that and a plane of bits or of two-bit fields; 8 = bytes.
  int bits;
  int zero_shift;  // zero is 1 << zero_shift; -1: there is none
  Scaling scaling;
  bool table;  // codes are nibbles that index Table(type)

  BOTHY_ALWAYS_INLINE constexpr size_t CodeBytes() const {  // of a block
    switch (bits) {
      case 2: return 128;
      case 3: return 128 + 64;
      case 4: return 256;
      case 5: return 256 + 64;
      case 6: return 256 + 128;
      default: return 512;
    }
  }
  BOTHY_ALWAYS_INLINE constexpr size_t ScaleBytes() const {  // of a block
    switch (scaling) {
      case Scaling::kF16:
      case Scaling::kBF16: return 32;
      case Scaling::kF16Min: return 64;
      case Scaling::kS32: return 16;
      case Scaling::kS16:
      case Scaling::kS32Min:
      case Scaling::kS16Min: return 32;
    }
    return 0;
  }
  BOTHY_ALWAYS_INLINE constexpr size_t SuperBytes() const {  // of a super-block
    switch (scaling) {
      case Scaling::kS32:
      case Scaling::kS16: return 32;
      case Scaling::kS32Min:
      case Scaling::kS16Min: return 64;
      default: return 0;
    }
  }
  BOTHY_ALWAYS_INLINE constexpr bool HasMinimum() const {
    return scaling == Scaling::kF16Min || scaling == Scaling::kS32Min || scaling == Scaling::kS16Min;
  }
  BOTHY_ALWAYS_INLINE constexpr bool HasHalves() const {
    return scaling == Scaling::kS16 || scaling == Scaling::kS16Min;
  }
  // Offsets of the planes in a tile of `blocks` blocks, and its size, a multiple of 64.
  BOTHY_ALWAYS_INLINE constexpr size_t ScaleOffset(size_t blocks) const { return blocks * CodeBytes(); }
  BOTHY_ALWAYS_INLINE constexpr size_t SuperOffset(size_t blocks) const {
    return ScaleOffset(blocks) + blocks * ScaleBytes();
  }
  BOTHY_ALWAYS_INLINE constexpr size_t TileBytes(size_t blocks) const {
    return (SuperOffset(blocks) + (blocks / kBlocksPerSuper) * SuperBytes() + 63) / 64 * 64;
  }
};

BOTHY_ALWAYS_INLINE constexpr TileFormat FormatOf(DType type) {
  switch (type) {
    case DType::kQ4_0: return {4, 3, Scaling::kF16, false};
    case DType::kQ4_1: return {4, -1, Scaling::kF16Min, false};
    case DType::kQ5_0: return {5, 4, Scaling::kF16, false};
    case DType::kQ5_1: return {5, -1, Scaling::kF16Min, false};
    case DType::kQ8_0: return {8, 7, Scaling::kF16, false};
    case DType::kQ2_K: return {2, -1, Scaling::kS16Min, false};
    case DType::kQ3_K: return {3, 2, Scaling::kS16, false};
    case DType::kQ4_K: return {4, -1, Scaling::kS32Min, false};
    case DType::kQ5_K: return {5, -1, Scaling::kS32Min, false};
    case DType::kQ6_K: return {6, 5, Scaling::kS16, false};
    case DType::kIQ4_NL: return {4, 7, Scaling::kF16, true};
    case DType::kIQ4_XS: return {4, 7, Scaling::kS32, true};
    case DType::kMXFP4: return {4, 7, Scaling::kBF16, true};
    default: return {0, -1, Scaling::kF16, false};
  }
}

// The tables, each value plus 128 so that it is an unsigned byte like any other code, with zero at 128. IQ4: ggml's
// kvalues_iq4nl. MXFP4: the OCP Microscaling specification's e2m1 values, doubled to be whole; the scale is halved.
inline constexpr uint8_t kIQ4Table[16] = {128 - 127, 128 - 104, 128 - 83, 128 - 65, 128 - 49, 128 - 35,
                                          128 - 22,  128 - 10,  128 + 1,  128 + 13, 128 + 25, 128 + 38,
                                          128 + 53,  128 + 69,  128 + 89, 128 + 113};
inline constexpr uint8_t kMXFP4Table[16] = {128, 129, 130, 131, 132, 134, 136, 140,
                                            128, 127, 126, 125, 124, 122, 120, 116};

BOTHY_ALWAYS_INLINE constexpr const uint8_t* TableOf(DType type) {
  return type == DType::kMXFP4 ? kMXFP4Table : kIQ4Table;
}

// 32 activations of one column, quantized to 8 bits: x = scale * q, |q| <= 127. One cache line.
struct alignas(64) ActivationBlock {
  int8_t q[kBlockColumns];
  float scale;
  int32_t negative_sum[3];  // minus the sum of q: over the first half, the second half, both
  float sum[3];             // scale times the sum of q: the same three
  uint32_t unused;
};
static_assert(sizeof(ActivationBlock) == 64);
inline constexpr int kBothHalves = 2;

// What a kernel computes: out[c][r] = sum over k of W[r][k] * x[c][k], for the rows of `tile_count` tiles and for
// `columns` columns. Sums run in one fixed order over k whatever the number of tiles and columns of a call, so a result
// does not depend on the batch it was computed in.
struct QuantizedArgs {
  const std::byte* tiles;  // 64-byte aligned
  size_t tile_stride;      // bytes
  size_t tile_count;
  size_t rows;    // of these tiles that are there; the last tile may be filled up
  size_t blocks;  // of 32 columns of W
  const ActivationBlock* x;
  size_t x_stride;  // blocks from one column to the next
  size_t columns;
  float* out;
  size_t out_stride;  // floats from one column to the next
};
using QuantizedKernel = void (*)(const QuantizedArgs&);

// f32 activations are read a chunk of kFloatChunk values at a time. A chunk of several columns lies in panels of
// kPanelColumns columns (the last one narrower), each [values of the chunk][width], one behind the other; so a kernel
// reads a chunk of all columns as one stream. Columns or panels apart would lie multiples of a page apart, in the same
// few lines of the caches. A single column is a plain row.
inline constexpr size_t kFloatChunk = 256;
inline constexpr size_t kPanelColumns = 12;

BOTHY_ALWAYS_INLINE constexpr size_t PanelWidth(size_t first_column, size_t columns) {
  return columns - first_column < kPanelColumns ? columns - first_column : kPanelColumns;
}

// Where in the panels of `columns` columns of k values the one that begins at first_column has the chunk from `begin`.
BOTHY_ALWAYS_INLINE constexpr size_t PanelOffset(size_t k, size_t columns, size_t begin, size_t first_column) {
  return begin * columns + first_column * (k - begin < kFloatChunk ? k - begin : kFloatChunk);
}

// The same in f32, of the part [begin, begin + k) of sums over x_k columns of W, for the columns
// [column, column + columns) of x. Weights are F32, F16 or BF16: tile[k][16], from `begin` on. Sums run over chunks,
// each from zero, then over the chunks: the error grows with the chunk, not with the whole row.
struct FloatArgs {
  const std::byte* tiles;
  size_t tile_stride;
  size_t tile_count;
  size_t rows;
  size_t begin;  // a multiple of kFloatChunk; above zero: add to out instead of writing it
  size_t k;
  const float* x;  // the panels of all x_columns
  size_t x_k;
  size_t x_columns;
  size_t column;  // a multiple of kPanelColumns
  size_t columns;
  float* out;  // of `column`
  size_t out_stride;
};
using FloatKernel = void (*)(const FloatArgs&);

// Columns [begin, end) of all 16 rows of a tile of k columns in f32, as the source format defines the weights, to the
// bit: out[end - begin][16], 64-byte aligned. Where weights come in blocks, k, begin and end are multiples of 32.
using ExpandKernel = void (*)(const std::byte* tile, size_t k, size_t begin, size_t end, float* out);

}  // namespace bothy
