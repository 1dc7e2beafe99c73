#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/half.h"
#include "tensor/quant/blocks.h"
#include "tensor/quant/quant.h"
#include "tensor/quant/quantize_block.h"

namespace bothy {
namespace {

template <class Block>
void QuantizeEach(const float* values, size_t elements, std::byte* out) {
  const size_t block_elements = InfoOf(Block::kType).elements;
  DCHECK(elements % block_elements == 0);
  for (size_t i = 0; i < elements; i += block_elements) {
    Block block;
    QuantizeBlock(values + i, block);
    std::memcpy(out, &block, sizeof(block));
    out += sizeof(block);
  }
}

void QuantizeFours(const float* values, size_t elements, std::byte* out) {
  constexpr size_t kFour = 4 * kSmallBlock;
  DCHECK(elements % kSmallBlock == 0);
  BlockIQ4_NL blocks[4];
  for (size_t i = 0; i < elements; i += kFour) {
    const size_t count = std::min(elements - i, kFour);
    float padded[kFour] = {};
    if (count < kFour) std::copy_n(values + i, count, padded);
    QuantizeBlocks(count < kFour ? padded : values + i, blocks);
    std::memcpy(out, blocks, count / kSmallBlock * sizeof(BlockIQ4_NL));
    out += sizeof(blocks);
  }
}

bool IsFinite(uint16_t f16) { return (f16 & 0x7c00) != 0x7c00; }

template <class Block>
bool EachFinite(const std::byte* bytes, size_t elements) {
  const size_t block_elements = InfoOf(Block::kType).elements;
  bool finite = true;
  for (size_t i = 0; i < elements; i += block_elements) {
    const auto block = LoadBlock<Block>(bytes);
    finite = finite && IsFinite(block.d);
    if constexpr (requires { block.m; }) finite = finite && IsFinite(block.m);
    if constexpr (requires { block.dmin; }) finite = finite && IsFinite(block.dmin);
    bytes += sizeof(block);
  }
  return finite;
}

template <class T>
bool EachFinite(const std::byte* bytes, size_t elements, T exponent) {
  bool finite = true;
  for (size_t i = 0; i < elements; i++) {
    T bits;
    std::memcpy(&bits, bytes + i * sizeof(T), sizeof(T));
    finite = finite & ((bits & exponent) != exponent);
  }
  return finite;
}

void StoreHalves(const float* values, size_t elements, std::byte* out, uint16_t (*convert)(float)) {
  for (size_t i = 0; i < elements; i++) {
    const uint16_t half = convert(values[i]);
    std::memcpy(out + 2 * i, &half, sizeof(half));
  }
}

}  // namespace

bool CanQuantize(DType type) {
  return IsQuantized(type) || type == DType::kF32 || type == DType::kF16 || type == DType::kBF16;
}

void Quantize(DType type, const float* values, size_t elements, std::byte* out) {
  switch (type) {
    case DType::kF32: std::memcpy(out, values, elements * sizeof(float)); return;
    case DType::kF16: return StoreHalves(values, elements, out, ToF16);
    case DType::kBF16: return StoreHalves(values, elements, out, ToBF16);
    case DType::kQ4_0: return QuantizeEach<BlockQ4_0>(values, elements, out);
    case DType::kQ4_1: return QuantizeEach<BlockQ4_1>(values, elements, out);
    case DType::kQ5_0: return QuantizeEach<BlockQ5_0>(values, elements, out);
    case DType::kQ5_1: return QuantizeEach<BlockQ5_1>(values, elements, out);
    case DType::kQ8_0: return QuantizeEach<BlockQ8_0>(values, elements, out);
    case DType::kQ2_K: return QuantizeEach<BlockQ2_K>(values, elements, out);
    case DType::kQ3_K: return QuantizeEach<BlockQ3_K>(values, elements, out);
    case DType::kQ4_K: return QuantizeEach<BlockQ4_K>(values, elements, out);
    case DType::kQ5_K: return QuantizeEach<BlockQ5_K>(values, elements, out);
    case DType::kQ6_K: return QuantizeEach<BlockQ6_K>(values, elements, out);
    case DType::kIQ4_NL: return QuantizeFours(values, elements, out);
    case DType::kIQ4_XS: return QuantizeEach<BlockIQ4_XS>(values, elements, out);
    case DType::kMXFP4: return QuantizeEach<BlockMXFP4>(values, elements, out);
    default: CHECK(CanQuantize(type));
  }
}

bool AllFinite(DType type, const std::byte* bytes, size_t elements) {
  switch (type) {
    case DType::kF32: return EachFinite<uint32_t>(bytes, elements, 0x7f800000u);
    case DType::kF16: return EachFinite<uint16_t>(bytes, elements, 0x7c00);
    case DType::kBF16: return EachFinite<uint16_t>(bytes, elements, 0x7f80);
    case DType::kQ4_0: return EachFinite<BlockQ4_0>(bytes, elements);
    case DType::kQ4_1: return EachFinite<BlockQ4_1>(bytes, elements);
    case DType::kQ5_0: return EachFinite<BlockQ5_0>(bytes, elements);
    case DType::kQ5_1: return EachFinite<BlockQ5_1>(bytes, elements);
    case DType::kQ8_0: return EachFinite<BlockQ8_0>(bytes, elements);
    case DType::kQ2_K: return EachFinite<BlockQ2_K>(bytes, elements);
    case DType::kQ3_K: return EachFinite<BlockQ3_K>(bytes, elements);
    case DType::kQ4_K: return EachFinite<BlockQ4_K>(bytes, elements);
    case DType::kQ5_K: return EachFinite<BlockQ5_K>(bytes, elements);
    case DType::kQ6_K: return EachFinite<BlockQ6_K>(bytes, elements);
    case DType::kIQ4_NL: return EachFinite<BlockIQ4_NL>(bytes, elements);
    case DType::kIQ4_XS: return EachFinite<BlockIQ4_XS>(bytes, elements);
    case DType::kMXFP4:  // every exponent is a number
      return true;
    default: CHECK(CanQuantize(type)); return false;
  }
}

}  // namespace bothy
