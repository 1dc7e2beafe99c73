#include "base/dtype.h"

#include <gtest/gtest.h>

namespace bothy {
namespace {

TEST(DType, NamesComeBackAsTheirTypeInAnyCase) {
  for (int i = 0; i < kDTypeCount; i++) {
    const auto type = static_cast<DType>(i);
    EXPECT_EQ(DTypeFromName(DTypeName(type)), type);
  }
  EXPECT_EQ(DTypeFromName("q4_k"), DType::kQ4_K);
  EXPECT_EQ(DTypeFromName("Q4_K_M"), std::nullopt);
}

TEST(DType, BlockSizesAreThoseOfTheGgufFormat) {  // ggml/src/ggml-common.h, static_asserts of the block structs
  EXPECT_EQ(RowBytes(DType::kQ4_0, 64), 36u);
  EXPECT_EQ(RowBytes(DType::kQ8_0, 64), 68u);
  EXPECT_EQ(RowBytes(DType::kQ4_K, 512), 288u);
  EXPECT_EQ(RowBytes(DType::kQ6_K, 256), 210u);
  EXPECT_EQ(RowBytes(DType::kMXFP4, 32), 17u);
}

TEST(DType, ARowThatIsNoWholeNumberOfBlocksOrOverflowsHasNoSize) {
  EXPECT_EQ(RowBytes(DType::kQ4_0, 33), std::nullopt);
  EXPECT_EQ(RowBytes(DType::kF64, uint64_t{1} << 61), std::nullopt);
  EXPECT_EQ(RowBytes(DType::kF64, (uint64_t{1} << 61) - 1), ~uint64_t{0} - 7);
}

}  // namespace
}  // namespace bothy
