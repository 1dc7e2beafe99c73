// The blocks that quantized arrays are stored in, byte for byte as GGUF has them (layouts: ggml/src/ggml-common.h). Who
// repacks weights for a kernel takes the fields from here; who only wants numbers takes Dequantize of quant.h.
//
// Every multi-byte field is little-endian. A file's bytes need not be aligned for these structs: LoadBlock copies one
// out. "Element e" counts within the block. A nibble is four bits, low or high; f16 fields hold the bits of a half.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/dtype.h"

namespace bothy {

static_assert(std::endian::native == std::endian::little, "blocks are read as they lie in the file");

inline constexpr size_t kSmallBlock = 32;   // elements of a block of Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 IQ4_NL MXFP4
inline constexpr size_t kSuperBlock = 256;  // elements of a block of Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_XS

// x[e] = d * (q - 8). Elements 0 to 15 are the low nibbles of qs, 16 to 31 the high ones.
struct BlockQ4_0 {
  static constexpr DType kType = DType::kQ4_0;
  uint16_t d;  // f16
  uint8_t qs[16];
};

// x[e] = d * q + m; nibbles as in Q4_0.
struct BlockQ4_1 {
  static constexpr DType kType = DType::kQ4_1;
  uint16_t d;  // f16
  uint16_t m;  // f16, the least value
  uint8_t qs[16];
};

// x[e] = d * (q - 16). The low four bits of q are nibbles as in Q4_0, the fifth is bit e of qh.
struct BlockQ5_0 {
  static constexpr DType kType = DType::kQ5_0;
  uint16_t d;     // f16
  uint8_t qh[4];  // 32 bits, little-endian
  uint8_t qs[16];
};

// x[e] = d * q + m; bits as in Q5_0.
struct BlockQ5_1 {
  static constexpr DType kType = DType::kQ5_1;
  uint16_t d;     // f16
  uint16_t m;     // f16, the least value
  uint8_t qh[4];  // 32 bits, little-endian
  uint8_t qs[16];
};

// x[e] = d * qs[e]
struct BlockQ8_0 {
  static constexpr DType kType = DType::kQ8_0;
  uint16_t d;  // f16
  int8_t qs[32];
};

// 16 groups of 16 elements. x[e] = d * (scales[g] & 15) * q - dmin * (scales[g] >> 4), g = e / 16.
// Element e has two bits of qs: byte e / 128 * 32 + e % 32, bits from 2 * (e % 128 / 32) on.
struct BlockQ2_K {
  static constexpr DType kType = DType::kQ2_K;
  uint8_t scales[16];
  uint8_t qs[64];
  uint16_t d;     // f16
  uint16_t dmin;  // f16
};

// 16 groups of 16 elements. x[e] = d * (scale[g] - 32) * (q - 4), g = e / 16; UnpackScales gives scale[g] - 32.
// The low two bits of q lie as in Q2_K; the third of element e is bit e / 32 of hmask[e % 32].
struct BlockQ3_K {
  static constexpr DType kType = DType::kQ3_K;
  uint8_t hmask[32];
  uint8_t qs[64];
  uint8_t scales[12];  // 16 of six bits: low nibbles of bytes 0 to 7 for g < 8, high ones for g >= 8; the upper two
                       // bits of g are bits from 2 * (g / 4) on of byte 8 + g % 4
  uint16_t d;          // f16
};

// 8 groups of 32 elements. x[e] = d * scale[g] * q - dmin * min[g], g = e / 32; UnpackScales gives both.
// Of every 64 elements the first 32 are the low nibbles, the others the high ones of 32 bytes of qs.
struct BlockQ4_K {
  static constexpr DType kType = DType::kQ4_K;
  uint16_t d;          // f16
  uint16_t dmin;       // f16
  uint8_t scales[12];  // 8 scales and 8 mins of six bits: bytes 0 to 3 hold scale[0..3] in their low six bits, bytes 4
                       // to 7 min[0..3]; bytes 8 to 11 hold the low nibbles of scale[4..7] (low) and min[4..7] (high),
                       // whose upper two bits are on top of bytes 0 to 3 and 4 to 7
  uint8_t qs[128];
};

// As Q4_K with a fifth bit of element e: bit e / 32 of qh[e % 32].
struct BlockQ5_K {
  static constexpr DType kType = DType::kQ5_K;
  uint16_t d;          // f16
  uint16_t dmin;       // f16
  uint8_t scales[12];  // as in Q4_K
  uint8_t qh[32];
  uint8_t qs[128];
};

// 16 groups of 16 elements. x[e] = d * scales[e / 16] * (q - 32). Of every 128 elements (64 bytes of ql, 32 of qh) the
// low four bits of element e are a nibble of ql[e % 64], low for the first 64 and high for the others; the upper two
// are bits from 2 * (e / 32) on of qh[e % 32].
struct BlockQ6_K {
  static constexpr DType kType = DType::kQ6_K;
  uint8_t ql[128];
  uint8_t qh[64];
  int8_t scales[16];
  uint16_t d;  // f16
};

// x[e] = d * kIQ4Values[q]; nibbles as in Q4_0.
struct BlockIQ4_NL {
  static constexpr DType kType = DType::kIQ4_NL;
  uint16_t d;  // f16
  uint8_t qs[16];
};

// 8 groups of 32 elements. x[e] = d * (scale[g] - 32) * kIQ4Values[q], g = e / 32; UnpackScales gives scale[g] - 32.
// Each group has 16 bytes of qs with nibbles as in Q4_0.
struct BlockIQ4_XS {
  static constexpr DType kType = DType::kIQ4_XS;
  uint16_t d;           // f16
  uint16_t scales_h;    // the upper two bits of scale[g] are bits from 2 * g on
  uint8_t scales_l[4];  // the low four bits of scale[g] are a nibble of byte g / 2, low for even g
  uint8_t qs[128];
};

// x[e] = 2^(e - 127) * kMXFP4Values[q] / 2; nibbles as in Q4_0. MXFP4Scale gives 2^(e - 128).
struct BlockMXFP4 {
  static constexpr DType kType = DType::kMXFP4;
  uint8_t e;
  uint8_t qs[16];
};

static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20 && sizeof(BlockQ5_0) == 22 &&
              sizeof(BlockQ5_1) == 24 && sizeof(BlockQ8_0) == 34 && sizeof(BlockIQ4_NL) == 18 &&
              sizeof(BlockMXFP4) == 17);
static_assert(sizeof(BlockQ2_K) == 84 && sizeof(BlockQ3_K) == 110 && sizeof(BlockQ4_K) == 144 &&
              sizeof(BlockQ5_K) == 176 && sizeof(BlockQ6_K) == 210 && sizeof(BlockIQ4_XS) == 136);

// The 16 levels of IQ4_NL and IQ4_XS, for a scale of 1: dense near zero, where weights are.
inline constexpr std::array<int8_t, 16> kIQ4Values = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                      1,    13,   25,  38,  53,  69,  89,  113};

// Twice the values of a 4-bit float with two bits of exponent and one of mantissa (OCP Microscaling Formats 1.0).
inline constexpr std::array<int8_t, 16> kMXFP4Values = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// 2^(e - 128): half of the block's scale, because kMXFP4Values are doubled. Every e is a number, 255 too.
inline float MXFP4Scale(uint8_t e) {
  // Below 2^-126 a float is subnormal: 2^-128 and 2^-127 are single bits of the mantissa.
  return std::bit_cast<float>(e < 2 ? 0x00200000u << e : static_cast<uint32_t>(e - 1) << 23);
}

struct ScalesAndMins {
  std::array<uint8_t, 8> scale;  // 0 to 63
  std::array<uint8_t, 8> min;    // 0 to 63
};
// Of a Q4_K or Q5_K block.
inline ScalesAndMins UnpackScalesAndMins(const uint8_t (&bytes)[12]) {
  ScalesAndMins out;
  for (size_t i = 0; i < 4; i++) {
    out.scale[i] = bytes[i] & 63;
    out.min[i] = bytes[4 + i] & 63;
    out.scale[4 + i] = static_cast<uint8_t>((bytes[8 + i] & 15) | (bytes[i] >> 6 << 4));
    out.min[4 + i] = static_cast<uint8_t>((bytes[8 + i] >> 4) | (bytes[4 + i] >> 6 << 4));
  }
  return out;
}

inline void PackScalesAndMins(const ScalesAndMins& in, uint8_t (&bytes)[12]) {
  for (size_t i = 0; i < 4; i++) {
    bytes[i] = static_cast<uint8_t>(in.scale[i] | in.scale[4 + i] >> 4 << 6);
    bytes[4 + i] = static_cast<uint8_t>(in.min[i] | in.min[4 + i] >> 4 << 6);
    bytes[8 + i] = static_cast<uint8_t>((in.scale[4 + i] & 15) | in.min[4 + i] << 4);
  }
}

inline std::array<int8_t, 16> UnpackScales(const BlockQ3_K& block) {  // -32 to 31
  std::array<int8_t, 16> out;
  for (size_t g = 0; g < 16; g++) {
    const int low = (block.scales[g % 8] >> (g < 8 ? 0 : 4)) & 15;
    const int high = (block.scales[8 + g % 4] >> (2 * (g / 4))) & 3;
    out[g] = static_cast<int8_t>((low | high << 4) - 32);
  }
  return out;
}

inline void PackScales(const std::array<int8_t, 16>& scales, BlockQ3_K& out) {
  for (uint8_t& byte : out.scales) byte = 0;
  for (size_t g = 0; g < 16; g++) {
    const int scale = scales[g] + 32;
    out.scales[g % 8] = static_cast<uint8_t>(out.scales[g % 8] | (scale & 15) << (g < 8 ? 0 : 4));
    out.scales[8 + g % 4] = static_cast<uint8_t>(out.scales[8 + g % 4] | scale >> 4 << (2 * (g / 4)));
  }
}

inline std::array<int8_t, 8> UnpackScales(const BlockIQ4_XS& block) {  // -32 to 31
  std::array<int8_t, 8> out;
  for (size_t g = 0; g < 8; g++) {
    const int low = (block.scales_l[g / 2] >> (g % 2 == 0 ? 0 : 4)) & 15;
    const int high = (block.scales_h >> (2 * g)) & 3;
    out[g] = static_cast<int8_t>((low | high << 4) - 32);
  }
  return out;
}

inline void PackScales(const std::array<int8_t, 8>& scales, BlockIQ4_XS& out) {
  out.scales_h = 0;
  for (size_t g = 0; g < 8; g += 2) {
    const int even = scales[g] + 32;
    const int odd = scales[g + 1] + 32;
    out.scales_l[g / 2] = static_cast<uint8_t>((even & 15) | (odd & 15) << 4);
    out.scales_h = static_cast<uint16_t>(out.scales_h | (even >> 4 | odd >> 4 << 2) << (2 * g));
  }
}

template <class Block>
Block LoadBlock(const std::byte* bytes) {
  Block block;
  std::memcpy(&block, bytes, sizeof(Block));
  return block;
}

}  // namespace bothy
