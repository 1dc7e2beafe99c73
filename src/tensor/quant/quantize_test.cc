#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/testing.h"
#include "tensor/quant/blocks.h"
#include "tensor/quant/quant.h"
#include "tensor/quant/quantize_block.h"

namespace bothy {
namespace {

std::vector<std::byte> QuantizeAll(DType type, const std::vector<float>& values) {
  std::vector<std::byte> out(RowBytes(type, values.size()).value());
  Quantize(type, values.data(), values.size(), out.data());
  return out;
}

uint64_t Hash(std::span<const std::byte> bytes) {  // FNV-1a
  uint64_t hash = 1469598103934665603u;
  for (const std::byte byte : bytes) hash = (hash ^ static_cast<uint64_t>(byte)) * 1099511628211u;
  return hash;
}

double RootMeanSquare(DType type, std::span<const std::byte> blocks, const std::vector<float>& values) {
  std::vector<float> back(values.size());
  Dequantize(type, blocks.data(), back.size(), back.data());
  double squares = 0;
  for (size_t i = 0; i < back.size(); i++) squares += std::pow(double{back[i]} - double{values[i]}, 2);
  return std::sqrt(squares / static_cast<double>(back.size()));
}

std::vector<float> HashedValues() {
  std::vector<float> values(4096);
  for (uint32_t i = 0; i < values.size(); i++) {
    uint32_t u = i * 2654435761u + 12345u;
    u ^= u >> 15;
    values[i] = static_cast<float>(static_cast<int>(u >> 8) - (1 << 23)) / static_cast<float>(1 << 23);
  }
  return values;
}

// What ggml d99724f2 makes of 4096 numbers between -1 and 1 (without fused multiply-adds): FNV-1a of all blocks, and
// the root mean square of what was lost.
TEST(Quantize, GivesTheBlocksOfTheReference) {
  struct Expected {
    uint64_t hash;
    double error;
  };
  const std::map<DType, Expected> expected = {
      {DType::kQ4_0, {0xca279972ba7c0553, .038241283}},   {DType::kQ4_1, {0xda51b4a6b46db842, .036167922}},
      {DType::kQ5_0, {0x3e82fef96ae144d9, .018412329}},   {DType::kQ5_1, {0xaaa608cb0bcdfc7c, .017814269}},
      {DType::kQ8_0, {0x8c3c165d97e0a22e, .002221727}},   {DType::kQ2_K, {0x0438929b426a841e, .147024368}},
      {DType::kQ3_K, {0x6097433275c731ef, .077750773}},   {DType::kQ4_K, {0xc8a597fa8e52d464, .035112437}},
      {DType::kQ5_K, {0xb45db56bb42312dc, .017173500}},   {DType::kQ6_K, {0x5e715f1b044dac23, .008137629}},
      {DType::kIQ4_XS, {0xc6152ae4494ba261, .040087836}}, {DType::kMXFP4, {0x0b8a72b2712d23d5, .083228196}}};
  const std::vector<float> values = HashedValues();
  for (const auto& [type, want] : expected) {
    const std::vector<std::byte> blocks = QuantizeAll(type, values);
    EXPECT_EQ(Hash(blocks), want.hash) << DTypeName(type);
    EXPECT_NEAR(RootMeanSquare(type, blocks, values), want.error, 1e-9) << DTypeName(type);
  }
}

TEST(Quantize, WithoutASearchIQ4NLIsTheReferencesToo) {
  const std::vector<float> values = HashedValues();
  std::vector<BlockIQ4_NL> blocks(values.size() / 32);
  for (size_t b = 0; b < blocks.size(); b++) QuantizeBlockOnce(&values[32 * b], blocks[b]);
  const auto bytes = std::as_bytes(std::span(blocks));
  EXPECT_EQ(Hash(bytes), 0x52d3db8065babe30u);
  EXPECT_NEAR(RootMeanSquare(DType::kIQ4_NL, bytes, values), .040923765, 1e-9);
  EXPECT_LT(RootMeanSquare(DType::kIQ4_NL, QuantizeAll(DType::kIQ4_NL, values), values), .040);
}

// tools/golden/quantize.py says what is in the file.
TEST(Quantize, GivesTheBlocksOfTheReferenceOnExtremeRowsToo) {
  const std::string file = ReadTestFile(Golden() / "quantize" / "quantize.bin");
  ASSERT_GT(file.size(), 4u);
  uint32_t count = 0;
  std::memcpy(&count, file.data(), sizeof(count));
  std::vector<float> values(count);
  std::memcpy(values.data(), file.data() + 4, count * sizeof(float));
  int types = 0;
  for (size_t at = 4 + count * sizeof(float); at < file.size(); types++) {
    const std::string name = file.substr(at, 8).c_str();
    uint32_t bytes = 0;
    std::memcpy(&bytes, file.data() + at + 8, sizeof(bytes));
    const DType type = DTypeFromName(name).value();
    const std::vector<std::byte> blocks = QuantizeAll(type, values);
    ASSERT_EQ(blocks.size(), bytes) << name;
    for (size_t i = 0; i < blocks.size(); i++) {
      ASSERT_EQ(static_cast<int>(blocks[i]), static_cast<uint8_t>(file[at + 12 + i]))
          << name << " byte " << i << ", row " << i * values.size() / blocks.size() / 256;
    }
    EXPECT_TRUE(AllFinite(type, blocks.data(), values.size())) << name;
    at += 12 + bytes;
  }
  EXPECT_EQ(types, 15);
}

TEST(Quantize, ABlockDoesNotDependOnWhereItsRowIsCut) {
  const std::vector<float> values = HashedValues();
  for (int t = 0; t < kDTypeCount; t++) {
    const auto type = static_cast<DType>(t);
    if (!CanQuantize(type)) continue;
    const size_t cut = 5 * InfoOf(type).elements;
    std::vector<std::byte> parts(RowBytes(type, values.size()).value());
    Quantize(type, values.data(), cut, parts.data());
    Quantize(type, values.data() + cut, values.size() - cut, parts.data() + RowBytes(type, cut).value());
    EXPECT_EQ(parts, QuantizeAll(type, values)) << DTypeName(type);
  }
}

TEST(Quantize, ValuesTooSmallForAnyScaleBecomeZeros) {
  for (int t = 0; t < kDTypeCount; t++) {
    const auto type = static_cast<DType>(t);
    // Exponents of MXFP4 reach down to 2^-127, floats further still.
    if (!IsQuantized(type) || type == DType::kMXFP4) continue;
    std::vector<float> values(256);
    for (size_t i = 0; i < values.size(); i++) values[i] = (static_cast<float>(i) - 100.0f) * 1e-42f;
    const std::vector<std::byte> blocks = QuantizeAll(type, values);
    std::vector<float> back(values.size(), 1.0f);
    Dequantize(type, blocks.data(), back.size(), back.data());
    EXPECT_EQ(back, std::vector<float>(back.size(), 0.0f)) << DTypeName(type);
  }
}

TEST(Quantize, AValueTooLargeForTheTypesScaleShowsAsNotFinite) {
  for (int t = 0; t < kDTypeCount; t++) {
    const auto type = static_cast<DType>(t);
    if (!CanQuantize(type)) continue;
    std::vector<float> values(512, 0.25f);
    values[300] = 1e9f;
    values[301] = -1e9f;
    const std::vector<std::byte> blocks = QuantizeAll(type, values);
    // 8-bit exponents hold it.
    const bool fits = type == DType::kF32 || type == DType::kBF16 || type == DType::kMXFP4;
    EXPECT_EQ(AllFinite(type, blocks.data(), values.size()), fits) << DTypeName(type);
    EXPECT_TRUE(AllFinite(type, blocks.data(), 256)) << DTypeName(type);
  }
}

}  // namespace
}  // namespace bothy
