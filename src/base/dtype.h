// The types that elements of stored arrays have: plain numbers, and blocks of quantized numbers as GGUF stores them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bothy {

enum class DType : uint8_t {
  kF64,
  kF32,
  kF16,
  kBF16,
  kF8E4M3,
  kF8E5M2,
  kF8E8M0,
  kI64,
  kI32,
  kI16,
  kI8,
  kU64,
  kU32,
  kU16,
  kU8,
  kBool,
  kC64,
  // Blocks (ggml/src/ggml-common.h); an array's innermost dimension is a multiple of the block.
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kIQ4_NL,
  kIQ4_XS,
  kMXFP4,
};
inline constexpr int kDTypeCount = static_cast<int>(DType::kMXFP4) + 1;

// Elements are stored in blocks of `elements` that take `bytes`; a plain type is a block of one.
struct DTypeInfo {
  std::string_view name;  // "F32", "Q4_K": as safetensors and GGUF write it
  uint32_t elements;
  uint32_t bytes;
};

const DTypeInfo& InfoOf(DType type);
inline std::string_view DTypeName(DType type) { return InfoOf(type).name; }
inline bool IsQuantized(DType type) { return InfoOf(type).elements > 1; }

// Case does not matter: "q4_k" and "Q4_K" are the same.
std::optional<DType> DTypeFromName(std::string_view name);

// Bytes of a row of `elements`, nothing where that is no whole number of blocks or does not fit 64 bits.
std::optional<uint64_t> RowBytes(DType type, uint64_t elements);

}  // namespace bothy
