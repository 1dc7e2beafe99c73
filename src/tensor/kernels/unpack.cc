#include "tensor/kernels/unpack.h"

#include <cstring>

#include "base/half.h"

namespace bothy {
namespace {

uint16_t Load16(const std::byte* p, size_t index) {
  uint16_t value;
  std::memcpy(&value, p + 2 * index, 2);
  return value;
}

}  // namespace

void UnpackCodes(DType type, const std::byte* tile, size_t block, size_t row, uint8_t (&codes)[kBlockColumns]) {
  const TileFormat format = FormatOf(type);
  const auto* plane = reinterpret_cast<const uint8_t*>(tile) + block * format.CodeBytes();
  const auto field = [&](size_t vector, size_t column, size_t shift, unsigned mask) {
    return static_cast<unsigned>(plane[vector * kQuadBytes + row * 4 + column] >> shift) & mask;
  };
  for (size_t k = 0; k < kBlockColumns; k++) {
    const size_t quad = k / 4, column = k % 4;
    unsigned code = 0;
    switch (format.bits) {
      case 2: code = field(quad / 4, column, 2 * (quad % 4), 3); break;
      case 3: code = field(quad / 4, column, 2 * (quad % 4), 3) | field(2, column, quad, 1) << 2; break;
      case 4: code = field(quad % 4, column, quad / 4 * 4, 15); break;
      case 5: code = field(quad % 4, column, quad / 4 * 4, 15) | field(4, column, quad, 1) << 4; break;
      case 6:
        code = field(quad % 4, column, quad / 4 * 4, 15) | field(4 + quad / 4, column, 2 * (quad % 4), 3) << 4;
        break;
      default: code = field(quad, column, 0, 255);
    }
    codes[k] = format.table ? TableOf(type)[code] : static_cast<uint8_t>(code);
  }
}

RowScales UnpackScales(DType type, const std::byte* tile, size_t blocks, size_t block, size_t row) {
  const TileFormat format = FormatOf(type);
  const std::byte* p = tile + format.ScaleOffset(blocks) + block * format.ScaleBytes();
  const std::byte* super = tile + format.SuperOffset(blocks) + block / kBlocksPerSuper * format.SuperBytes();
  const auto byte = [&](size_t index) { return static_cast<uint8_t>(p[index * kTileRows + row]); };
  const auto d = [&] { return FromF16(Load16(super, row)); };
  const auto e = [&] { return FromF16(Load16(super, kTileRows + row)); };
  RowScales s = {};
  switch (format.scaling) {
    case Scaling::kF16: s.scale[0] = FromF16(Load16(p, row)); break;
    case Scaling::kBF16: s.scale[0] = FromBF16(Load16(p, row)); break;
    case Scaling::kF16Min:
      s.scale[0] = FromF16(Load16(p, row));
      s.minimum[0] = FromF16(Load16(p, kTileRows + row));
      break;
    case Scaling::kS32: s.scale[0] = d() * static_cast<int8_t>(byte(0)); break;
    case Scaling::kS16:
      s.scale[0] = d() * static_cast<int8_t>(byte(0));
      s.scale[1] = d() * static_cast<int8_t>(byte(1));
      return s;
    case Scaling::kS32Min:
      s.scale[0] = d() * byte(0);
      s.minimum[0] = e() * byte(1);
      break;
    case Scaling::kS16Min:
      for (size_t half = 0; half < 2; half++) {
        s.scale[half] = d() * static_cast<float>(byte(half) & 15);
        s.minimum[half] = e() * static_cast<float>(byte(half) >> 4);
      }
      return s;
  }
  s.scale[1] = s.scale[0];
  s.minimum[1] = s.minimum[0];
  return s;
}

void UnpackBlock(DType type, const std::byte* tile, size_t blocks, size_t block, size_t row, float* out) {
  const TileFormat format = FormatOf(type);
  const int zero = format.zero_shift < 0 ? 0 : 1 << format.zero_shift;
  uint8_t codes[kBlockColumns];
  UnpackCodes(type, tile, block, row, codes);
  const RowScales s = UnpackScales(type, tile, blocks, block, row);
  for (size_t k = 0; k < kBlockColumns; k++) {
    const size_t half = k / 16;
    const float value = s.scale[half] * static_cast<float>(codes[k] - zero);
    out[k] = format.HasMinimum() ? value + s.minimum[half] : value;
  }
}

}  // namespace bothy
