#include "tensor/packing.h"

#include <bit>
#include <cstring>

#include "base/error.h"
#include "tensor/quant/blocks.h"
#include "tensor/tile_format.h"

namespace bothy {
namespace {

// One row of a tile under construction.
template <DType kType>
class RowWriter {
 public:
  RowWriter(std::byte* tile, size_t blocks, size_t row)
      : tile_(reinterpret_cast<uint8_t*>(tile)), blocks_(blocks), row_(row) {}

  // code(k) is the code of column 32 * block + k.
  template <class Code>
  void Codes(size_t block, Code code) {
    uint8_t codes[kBlockColumns];
    for (size_t k = 0; k < kBlockColumns; k++) codes[k] = static_cast<uint8_t>(code(k));
    uint32_t quad[kQuadsPerBlock];  // four codes each; shifts below never carry from one to the next
    std::memcpy(quad, codes, sizeof quad);
    uint8_t* plane = tile_ + block * kFormat.CodeBytes() + row_ * sizeof(uint32_t);
    const auto put = [&](size_t vector, uint32_t four) {
      std::memcpy(plane + vector * kQuadBytes, &four, sizeof four);
    };
    // Bits [from, from + width) of the codes of `count` quads, side by side.
    const auto fields = [&](size_t first, size_t step, size_t count, unsigned from, unsigned width) {
      const uint32_t mask = ((1u << width) - 1) * 0x01010101u;
      uint32_t four = 0;
      for (size_t i = 0; i < count; i++) {
        four |= (quad[first + i * step] >> from & mask) << (static_cast<unsigned>(i) * width);
      }
      return four;
    };
    if constexpr (kFormat.bits == 8) {
      for (size_t g = 0; g < kQuadsPerBlock; g++) put(g, quad[g]);
    } else if constexpr (kFormat.bits >= 4) {
      for (size_t v = 0; v < 4; v++) put(v, fields(v, 4, 2, 0, 4));
    } else {
      for (size_t v = 0; v < 2; v++) put(v, fields(4 * v, 1, 4, 0, 2));
    }
    if constexpr (kFormat.bits == 3) put(2, fields(0, 1, 8, 2, 1));
    if constexpr (kFormat.bits == 5) put(4, fields(0, 1, 8, 4, 1));
    if constexpr (kFormat.bits == 6) {
      for (size_t v = 0; v < 2; v++) put(4 + v, fields(4 * v, 1, 4, 4, 2));
    }
  }

  // The index-th 16-bit number of a block's scales, or of a super-block's.
  void Scale16(size_t block, size_t index, uint16_t value) {
    std::memcpy(tile_ + kFormat.ScaleOffset(blocks_) + block * kFormat.ScaleBytes() + (index * kTileRows + row_) * 2,
                &value, 2);
  }
  void Scale8(size_t block, size_t index, int value) {
    tile_[kFormat.ScaleOffset(blocks_) + block * kFormat.ScaleBytes() + index * kTileRows + row_] =
        static_cast<uint8_t>(value);
  }
  void Super16(size_t super, size_t index, uint16_t value) {
    std::memcpy(tile_ + kFormat.SuperOffset(blocks_) + super * kFormat.SuperBytes() + (index * kTileRows + row_) * 2,
                &value, 2);
  }

 private:
  static constexpr TileFormat kFormat = FormatOf(kType);
  uint8_t* tile_;
  size_t blocks_;
  size_t row_;
};

constexpr uint16_t Negative(uint16_t f16) { return f16 ^ 0x8000; }

unsigned Nibble(const uint8_t* bytes, size_t k) { return k < 16 ? bytes[k] & 15u : bytes[k - 16] >> 4u; }
unsigned Bit(const uint8_t (&bytes)[4], size_t k) { return bytes[k / 8] >> (k % 8) & 1u; }

template <class W>
void Write(W& w, const BlockQ4_0& b, size_t block) {
  w.Codes(block, [&](size_t k) { return Nibble(b.qs, k); });
  w.Scale16(block, 0, b.d);
}
template <class W>
void Write(W& w, const BlockQ4_1& b, size_t block) {
  w.Codes(block, [&](size_t k) { return Nibble(b.qs, k); });
  w.Scale16(block, 0, b.d);
  w.Scale16(block, 1, b.m);
}
template <class W>
void Write(W& w, const BlockQ5_0& b, size_t block) {
  w.Codes(block, [&](size_t k) { return Nibble(b.qs, k) | Bit(b.qh, k) << 4; });
  w.Scale16(block, 0, b.d);
}
template <class W>
void Write(W& w, const BlockQ5_1& b, size_t block) {
  w.Codes(block, [&](size_t k) { return Nibble(b.qs, k) | Bit(b.qh, k) << 4; });
  w.Scale16(block, 0, b.d);
  w.Scale16(block, 1, b.m);
}
template <class W>
void Write(W& w, const BlockQ8_0& b, size_t block) {
  w.Codes(block, [&](size_t k) { return static_cast<unsigned>(b.qs[k] + 128); });
  w.Scale16(block, 0, b.d);
}
template <class W>
void Write(W& w, const BlockIQ4_NL& b, size_t block) {
  w.Codes(block, [&](size_t k) { return Nibble(b.qs, k); });
  w.Scale16(block, 0, b.d);
}
template <class W>
void Write(W& w, const BlockMXFP4& b, size_t block) {
  w.Codes(block, [&](size_t k) { return Nibble(b.qs, k); });
  w.Scale16(block, 0, static_cast<uint16_t>(std::bit_cast<uint32_t>(MXFP4Scale(b.e)) >> 16));
}
template <class W>
void Write(W& w, const BlockQ2_K& b, size_t super) {
  for (size_t g = 0; g < kBlocksPerSuper; g++) {
    const size_t block = super * kBlocksPerSuper + g;
    w.Codes(block, [&](size_t k) { return b.qs[g / 4 * 32 + k] >> (g % 4 * 2) & 3u; });
    for (size_t half = 0; half < 2; half++) w.Scale8(block, half, b.scales[2 * g + half]);
  }
  w.Super16(super, 0, b.d);
  w.Super16(super, 1, Negative(b.dmin));
}
template <class W>
void Write(W& w, const BlockQ3_K& b, size_t super) {
  const auto scales = UnpackScales(b);
  for (size_t g = 0; g < kBlocksPerSuper; g++) {
    const size_t block = super * kBlocksPerSuper + g;
    w.Codes(block, [&](size_t k) { return (b.qs[g / 4 * 32 + k] >> (g % 4 * 2) & 3u) | (b.hmask[k] >> g & 1u) << 2; });
    for (size_t half = 0; half < 2; half++) w.Scale8(block, half, scales[2 * g + half]);
  }
  w.Super16(super, 0, b.d);
}
template <class W>
void Write(W& w, const BlockQ4_K& b, size_t super) {
  const ScalesAndMins s = UnpackScalesAndMins(b.scales);
  for (size_t g = 0; g < kBlocksPerSuper; g++) {
    const size_t block = super * kBlocksPerSuper + g;
    w.Codes(block, [&](size_t k) { return b.qs[g / 2 * 32 + k] >> (g % 2 * 4) & 15u; });
    w.Scale8(block, 0, s.scale[g]);
    w.Scale8(block, 1, s.min[g]);
  }
  w.Super16(super, 0, b.d);
  w.Super16(super, 1, Negative(b.dmin));
}
template <class W>
void Write(W& w, const BlockQ5_K& b, size_t super) {
  const ScalesAndMins s = UnpackScalesAndMins(b.scales);
  for (size_t g = 0; g < kBlocksPerSuper; g++) {
    const size_t block = super * kBlocksPerSuper + g;
    w.Codes(block, [&](size_t k) { return (b.qs[g / 2 * 32 + k] >> (g % 2 * 4) & 15u) | (b.qh[k] >> g & 1u) << 4; });
    w.Scale8(block, 0, s.scale[g]);
    w.Scale8(block, 1, s.min[g]);
  }
  w.Super16(super, 0, b.d);
  w.Super16(super, 1, Negative(b.dmin));
}
template <class W>
void Write(W& w, const BlockQ6_K& b, size_t super) {
  for (size_t g = 0; g < kBlocksPerSuper; g++) {
    const size_t block = super * kBlocksPerSuper + g, n = g / 4, quarter = g % 4;
    w.Codes(block, [&](size_t k) {
      const unsigned low = b.ql[n * 64 + quarter % 2 * 32 + k] >> (quarter / 2 * 4) & 15u;
      return low | (b.qh[n * 32 + k] >> (2 * quarter) & 3u) << 4;
    });
    for (size_t half = 0; half < 2; half++) w.Scale8(block, half, b.scales[2 * g + half]);
  }
  w.Super16(super, 0, b.d);
}
template <class W>
void Write(W& w, const BlockIQ4_XS& b, size_t super) {
  const auto scales = UnpackScales(b);
  for (size_t g = 0; g < kBlocksPerSuper; g++) {
    const size_t block = super * kBlocksPerSuper + g;
    w.Codes(block, [&](size_t k) { return Nibble(b.qs + 16 * g, k); });
    w.Scale8(block, 0, scales[g]);
  }
  w.Super16(super, 0, b.d);
}

template <class Block>
void PackBlocks(const std::byte* source, size_t columns, std::byte* tile, size_t row) {
  RowWriter<Block::kType> writer(tile, columns / kBlockColumns, row);
  const size_t count = columns / InfoOf(Block::kType).elements;
  for (size_t i = 0; i < count; i++) Write(writer, LoadBlock<Block>(source + i * sizeof(Block)), i);
}

}  // namespace

void PackRow(DType type, const std::byte* source, size_t columns, std::byte* tile, size_t row) {
  switch (type) {
    case DType::kQ4_0: return PackBlocks<BlockQ4_0>(source, columns, tile, row);
    case DType::kQ4_1: return PackBlocks<BlockQ4_1>(source, columns, tile, row);
    case DType::kQ5_0: return PackBlocks<BlockQ5_0>(source, columns, tile, row);
    case DType::kQ5_1: return PackBlocks<BlockQ5_1>(source, columns, tile, row);
    case DType::kQ8_0: return PackBlocks<BlockQ8_0>(source, columns, tile, row);
    case DType::kQ2_K: return PackBlocks<BlockQ2_K>(source, columns, tile, row);
    case DType::kQ3_K: return PackBlocks<BlockQ3_K>(source, columns, tile, row);
    case DType::kQ4_K: return PackBlocks<BlockQ4_K>(source, columns, tile, row);
    case DType::kQ5_K: return PackBlocks<BlockQ5_K>(source, columns, tile, row);
    case DType::kQ6_K: return PackBlocks<BlockQ6_K>(source, columns, tile, row);
    case DType::kIQ4_NL: return PackBlocks<BlockIQ4_NL>(source, columns, tile, row);
    case DType::kIQ4_XS: return PackBlocks<BlockIQ4_XS>(source, columns, tile, row);
    case DType::kMXFP4: return PackBlocks<BlockMXFP4>(source, columns, tile, row);
    default: CHECK(IsQuantized(type));
  }
}

}  // namespace bothy
