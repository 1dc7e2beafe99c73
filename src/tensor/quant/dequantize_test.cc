#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/testing.h"
#include "tensor/quant/blocks.h"
#include "tensor/quant/quant.h"

namespace bothy {
namespace {

struct Case {
  std::string blocks;
  std::vector<float> values;
};

// tools/golden/dequantize.py says what is in it.
std::map<std::string, Case> ReadCases() {
  const std::string file = ReadTestFile(Golden() / "dequantize" / "dequantize.bin");
  std::map<std::string, Case> cases;
  for (size_t at = 0; at < file.size();) {
    uint32_t sizes[2];
    const std::string name = file.substr(at, 8).c_str();
    std::memcpy(sizes, file.data() + at + 8, sizeof(sizes));
    Case& added = cases[name];
    added.blocks = file.substr(at + 16, sizes[0]);
    added.values.resize(sizes[1]);
    std::memcpy(added.values.data(), file.data() + at + 16 + sizes[0], sizes[1] * sizeof(float));
    at += 16 + sizes[0] + sizes[1] * sizeof(float);
  }
  return cases;
}

template <class T>
std::vector<float> Numbers(DType type, std::vector<T> stored) {
  std::vector<float> out(stored.size());
  Dequantize(type, reinterpret_cast<const std::byte*>(stored.data()), stored.size(), out.data());
  return out;
}

TEST(Dequantize, EqualsTheReferenceBitForBitOnEveryType) {
  std::set<std::string> missing;
  for (int i = 0; i < kDTypeCount; i++) {
    if (IsQuantized(static_cast<DType>(i))) missing.insert(std::string(DTypeName(static_cast<DType>(i))));
  }
  for (const auto& [name, expected] : ReadCases()) {
    const auto type = DTypeFromName(name);
    ASSERT_TRUE(type) << name;
    ASSERT_EQ(RowBytes(*type, expected.values.size()), expected.blocks.size()) << name;
    // One byte off, because a file's arrays need not lie where a struct could.
    const std::string shifted = " " + expected.blocks;
    std::vector<float> values(expected.values.size());
    Dequantize(*type, reinterpret_cast<const std::byte*>(shifted.data()) + 1, values.size(), values.data());
    for (size_t e = 0; e < values.size(); e++) {
      if (std::isnan(expected.values[e])) {
        ASSERT_TRUE(std::isnan(values[e])) << name << " element " << e;
      } else {
        ASSERT_EQ(std::bit_cast<uint32_t>(values[e]), std::bit_cast<uint32_t>(expected.values[e]))
            << name << " element " << e << ": " << values[e] << " is not " << expected.values[e];
      }
    }
    missing.erase(name);
  }
  EXPECT_TRUE(missing.empty()) << *missing.begin();
}

TEST(Dequantize, ReadsIntegersAndDoublesRoundedToNearestEven) {
  EXPECT_EQ(Numbers<double>(DType::kF64, {1.5, -0x1.000001p3, 1e300}),
            (std::vector<float>{1.5f, -8.0f, std::numeric_limits<float>::infinity()}));
  EXPECT_EQ(Numbers<int64_t>(DType::kI64, {-3, 0x1000001, 0x1000003}),
            (std::vector<float>{-3.0f, 0x1000000, 0x1000004}));
  EXPECT_EQ(Numbers<uint64_t>(DType::kU64, {7, ~uint64_t{0}}), (std::vector<float>{7.0f, 0x1p64f}));
  EXPECT_EQ(Numbers<int32_t>(DType::kI32, {-7}), std::vector<float>{-7.0f});
  EXPECT_EQ(Numbers<uint32_t>(DType::kU32, {~0u}), std::vector<float>{0x1p32f});
  EXPECT_EQ(Numbers<int16_t>(DType::kI16, {-32768}), std::vector<float>{-32768.0f});
  EXPECT_EQ(Numbers<uint16_t>(DType::kU16, {65535}), std::vector<float>{65535.0f});
  EXPECT_EQ(Numbers<int8_t>(DType::kI8, {-128}), std::vector<float>{-128.0f});
  EXPECT_EQ(Numbers<uint8_t>(DType::kU8, {255}), std::vector<float>{255.0f});
  EXPECT_EQ(Numbers<uint8_t>(DType::kBool, {0, 1, 2}), (std::vector<float>{0.0f, 1.0f, 1.0f}));
  EXPECT_EQ(Numbers<float>(DType::kF32, {-0.1f}), std::vector<float>{-0.1f});
}

TEST(Dequantize, OnlyComplexNumbersAreNoNumbers) {
  for (int i = 0; i < kDTypeCount; i++) {
    EXPECT_EQ(CanDequantize(static_cast<DType>(i)), static_cast<DType>(i) != DType::kC64);
  }
}

}  // namespace
}  // namespace bothy
