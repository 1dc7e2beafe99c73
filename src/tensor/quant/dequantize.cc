#include <array>
#include <bit>
#include <cstdint>
#include <limits>

#include "base/error.h"
#include "base/half.h"
#include "tensor/quant/blocks.h"
#include "tensor/quant/quant.h"

namespace bothy {
namespace {

// Every product below is one rounding in the order the reference has: (d * scale) first, then times q, then the sum.
// Integers are exact in f32, so that q's offset may be subtracted before the conversion.

void Unpack(const BlockQ4_0& block, float* out) {
  const float d = FromF16(block.d);
  for (size_t i = 0; i < 16; i++) {
    out[i] = d * static_cast<float>((block.qs[i] & 15) - 8);
    out[16 + i] = d * static_cast<float>((block.qs[i] >> 4) - 8);
  }
}

void Unpack(const BlockQ4_1& block, float* out) {
  const float d = FromF16(block.d);
  const float m = FromF16(block.m);
  for (size_t i = 0; i < 16; i++) {
    out[i] = d * static_cast<float>(block.qs[i] & 15) + m;
    out[16 + i] = d * static_cast<float>(block.qs[i] >> 4) + m;
  }
}

void Unpack(const BlockQ5_0& block, float* out) {
  const float d = FromF16(block.d);
  const auto high = std::bit_cast<uint32_t>(block.qh);
  for (size_t i = 0; i < 16; i++) {
    const int low_q = (block.qs[i] & 15) | static_cast<int>((high >> i & 1) << 4);
    const int high_q = (block.qs[i] >> 4) | static_cast<int>((high >> (16 + i) & 1) << 4);
    out[i] = d * static_cast<float>(low_q - 16);
    out[16 + i] = d * static_cast<float>(high_q - 16);
  }
}

void Unpack(const BlockQ5_1& block, float* out) {
  const float d = FromF16(block.d);
  const float m = FromF16(block.m);
  const auto high = std::bit_cast<uint32_t>(block.qh);
  for (size_t i = 0; i < 16; i++) {
    const int low_q = (block.qs[i] & 15) | static_cast<int>((high >> i & 1) << 4);
    const int high_q = (block.qs[i] >> 4) | static_cast<int>((high >> (16 + i) & 1) << 4);
    out[i] = d * static_cast<float>(low_q) + m;
    out[16 + i] = d * static_cast<float>(high_q) + m;
  }
}

void Unpack(const BlockQ8_0& block, float* out) {
  const float d = FromF16(block.d);
  for (size_t i = 0; i < 32; i++) out[i] = d * static_cast<float>(block.qs[i]);
}

void Unpack(const BlockQ2_K& block, float* out) {
  const float d = FromF16(block.d);
  const float dmin = FromF16(block.dmin);
  for (size_t g = 0; g < 16; g++) {
    const float scale = d * static_cast<float>(block.scales[g] & 15);
    const float min = dmin * static_cast<float>(block.scales[g] >> 4);
    const uint8_t* qs = block.qs + g / 8 * 32 + g % 2 * 16;
    const size_t shift = g % 8 / 2 * 2;
    for (size_t i = 0; i < 16; i++) out[16 * g + i] = scale * static_cast<float>(qs[i] >> shift & 3) - min;
  }
}

void Unpack(const BlockQ3_K& block, float* out) {
  const float d = FromF16(block.d);
  const std::array<int8_t, 16> scales = UnpackScales(block);
  for (size_t g = 0; g < 16; g++) {
    const float scale = d * static_cast<float>(scales[g]);
    const uint8_t* qs = block.qs + g / 8 * 32 + g % 2 * 16;
    const uint8_t* high = block.hmask + g % 2 * 16;
    const size_t shift = g % 8 / 2 * 2;
    for (size_t i = 0; i < 16; i++) {
      const int q = (qs[i] >> shift & 3) | (high[i] >> (g / 2) & 1) << 2;
      out[16 * g + i] = scale * static_cast<float>(q - 4);
    }
  }
}

// Q4_K and Q5_K, which differ in the fifth bit: fifth_bit(group, i) is 0 or 16.
template <class Block, class FifthBit>
void UnpackScaledGroups(const Block& block, FifthBit fifth_bit, float* out) {
  const float d = FromF16(block.d);
  const float dmin = FromF16(block.dmin);
  const ScalesAndMins packed = UnpackScalesAndMins(block.scales);
  for (size_t g = 0; g < 8; g++) {
    const float scale = d * static_cast<float>(packed.scale[g]);
    const float min = dmin * static_cast<float>(packed.min[g]);
    const uint8_t* qs = block.qs + g / 2 * 32;
    const size_t shift = g % 2 * 4;
    for (size_t i = 0; i < 32; i++) {
      const int q = (qs[i] >> shift & 15) | fifth_bit(g, i);
      out[32 * g + i] = scale * static_cast<float>(q) - min;
    }
  }
}

void Unpack(const BlockQ4_K& block, float* out) {
  UnpackScaledGroups(block, [](size_t, size_t) { return 0; }, out);
}

void Unpack(const BlockQ5_K& block, float* out) {
  UnpackScaledGroups(block, [&](size_t g, size_t i) { return (block.qh[i] >> g & 1) << 4; }, out);
}

void Unpack(const BlockQ6_K& block, float* out) {
  const float d = FromF16(block.d);
  for (size_t g = 0; g < 16; g++) {
    const float scale = d * static_cast<float>(block.scales[g]);
    const uint8_t* low = block.ql + g / 8 * 64 + g % 4 * 16;
    const uint8_t* high = block.qh + g / 8 * 32 + g % 2 * 16;
    const size_t low_shift = g % 8 / 4 * 4;
    const size_t high_shift = g % 8 / 2 * 2;
    for (size_t i = 0; i < 16; i++) {
      const int q = (low[i] >> low_shift & 15) | (high[i] >> high_shift & 3) << 4;
      out[16 * g + i] = scale * static_cast<float>(q - 32);
    }
  }
}

// 16 bytes of nibbles that pick among 16 levels.
void UnpackLevels(const uint8_t* qs, float scale, const std::array<int8_t, 16>& levels, float* out) {
  for (size_t i = 0; i < 16; i++) {
    out[i] = scale * static_cast<float>(levels[qs[i] & 15]);
    out[16 + i] = scale * static_cast<float>(levels[qs[i] >> 4]);
  }
}

void Unpack(const BlockIQ4_NL& block, float* out) { UnpackLevels(block.qs, FromF16(block.d), kIQ4Values, out); }

void Unpack(const BlockIQ4_XS& block, float* out) {
  const float d = FromF16(block.d);
  const std::array<int8_t, 8> scales = UnpackScales(block);
  for (size_t g = 0; g < 8; g++) {
    UnpackLevels(block.qs + 16 * g, d * static_cast<float>(scales[g]), kIQ4Values, out + 32 * g);
  }
}

void Unpack(const BlockMXFP4& block, float* out) { UnpackLevels(block.qs, MXFP4Scale(block.e), kMXFP4Values, out); }

template <class Block>
void UnpackBlocks(const std::byte* bytes, size_t elements, float* out) {
  const size_t block_elements = InfoOf(Block::kType).elements;
  DCHECK(elements % block_elements == 0);
  for (size_t i = 0; i < elements; i += block_elements) {
    Unpack(LoadBlock<Block>(bytes), out + i);
    bytes += sizeof(Block);
  }
}

template <class T, class Convert>
void ConvertEach(const std::byte* bytes, size_t elements, float* out, Convert convert) {
  for (size_t i = 0; i < elements; i++) {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    out[i] = convert(value);
  }
}

template <class T>
void CastEach(const std::byte* bytes, size_t elements, float* out) {
  ConvertEach<T>(bytes, elements, out, [](T value) { return static_cast<float>(value); });
}

// Four bits of exponent biased by 7, three of mantissa, no infinity: only all ones is not a number (OCP FP8, "E4M3").
float FromF8E4M3(uint8_t bits) {
  const uint32_t magnitude = bits & 0x7fu;
  const uint32_t sign = static_cast<uint32_t>(bits & 0x80u) << 24;
  if (magnitude == 0x7fu) return std::bit_cast<float>(sign | 0x7fc00000u);
  if (magnitude < 8) {  // subnormal: an integer multiple of 2^-9
    const float value = static_cast<float>(magnitude) * 0x1p-9f;
    return sign != 0 ? -value : value;
  }
  return std::bit_cast<float>(sign | ((magnitude << 20) + ((127u - 7u) << 23)));
}

// 2^(bits - 127); all ones is not a number.
float FromF8E8M0(uint8_t bits) {
  if (bits == 255) return std::numeric_limits<float>::quiet_NaN();
  return std::bit_cast<float>(bits == 0 ? 0x00400000u : static_cast<uint32_t>(bits) << 23);
}

}  // namespace

bool CanDequantize(DType type) { return type != DType::kC64; }

void Dequantize(DType type, const std::byte* bytes, size_t elements, float* out) {
  switch (type) {
    case DType::kF64: return CastEach<double>(bytes, elements, out);
    case DType::kF32: std::memcpy(out, bytes, elements * sizeof(float)); return;
    case DType::kF16: return ConvertEach<uint16_t>(bytes, elements, out, FromF16);
    case DType::kBF16: return ConvertEach<uint16_t>(bytes, elements, out, FromBF16);
    case DType::kF8E4M3: return ConvertEach<uint8_t>(bytes, elements, out, FromF8E4M3);
    case DType::kF8E5M2:  // the upper half of an f16
      return ConvertEach<uint8_t>(bytes, elements, out,
                                  [](uint8_t bits) { return FromF16(static_cast<uint16_t>(bits << 8)); });
    case DType::kF8E8M0: return ConvertEach<uint8_t>(bytes, elements, out, FromF8E8M0);
    case DType::kI64: return CastEach<int64_t>(bytes, elements, out);
    case DType::kI32: return CastEach<int32_t>(bytes, elements, out);
    case DType::kI16: return CastEach<int16_t>(bytes, elements, out);
    case DType::kI8: return CastEach<int8_t>(bytes, elements, out);
    case DType::kU64: return CastEach<uint64_t>(bytes, elements, out);
    case DType::kU32: return CastEach<uint32_t>(bytes, elements, out);
    case DType::kU16: return CastEach<uint16_t>(bytes, elements, out);
    case DType::kU8: return CastEach<uint8_t>(bytes, elements, out);
    case DType::kBool:
      return ConvertEach<uint8_t>(bytes, elements, out, [](uint8_t value) { return value != 0 ? 1.0f : 0.0f; });
    case DType::kC64: break;
    case DType::kQ4_0: return UnpackBlocks<BlockQ4_0>(bytes, elements, out);
    case DType::kQ4_1: return UnpackBlocks<BlockQ4_1>(bytes, elements, out);
    case DType::kQ5_0: return UnpackBlocks<BlockQ5_0>(bytes, elements, out);
    case DType::kQ5_1: return UnpackBlocks<BlockQ5_1>(bytes, elements, out);
    case DType::kQ8_0: return UnpackBlocks<BlockQ8_0>(bytes, elements, out);
    case DType::kQ2_K: return UnpackBlocks<BlockQ2_K>(bytes, elements, out);
    case DType::kQ3_K: return UnpackBlocks<BlockQ3_K>(bytes, elements, out);
    case DType::kQ4_K: return UnpackBlocks<BlockQ4_K>(bytes, elements, out);
    case DType::kQ5_K: return UnpackBlocks<BlockQ5_K>(bytes, elements, out);
    case DType::kQ6_K: return UnpackBlocks<BlockQ6_K>(bytes, elements, out);
    case DType::kIQ4_NL: return UnpackBlocks<BlockIQ4_NL>(bytes, elements, out);
    case DType::kIQ4_XS: return UnpackBlocks<BlockIQ4_XS>(bytes, elements, out);
    case DType::kMXFP4: return UnpackBlocks<BlockMXFP4>(bytes, elements, out);
  }
  CHECK(CanDequantize(type));
}

}  // namespace bothy
