#include "base/half.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bothy {
namespace {

TEST(Half, EveryF16ValueIsWhatTheCompilerSaysItIs) {
  for (uint32_t i = 0; i < 65536; i++) {
    const auto bits = static_cast<uint16_t>(i);
    const auto expected = static_cast<float>(std::bit_cast<_Float16>(bits));
    const float got = FromF16(bits);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(got));
    } else {
      EXPECT_EQ(std::bit_cast<uint32_t>(got), std::bit_cast<uint32_t>(expected)) << i;
    }
  }
}

TEST(Half, RoundsToF16AsTheCompilerDoes) {
  for (uint64_t i = 0; i < (uint64_t{1} << 32); i += 997) {
    const float f = std::bit_cast<float>(static_cast<uint32_t>(i));
    if (std::isnan(f)) continue;
    ASSERT_EQ(ToF16(f), std::bit_cast<uint16_t>(static_cast<_Float16>(f))) << f;
  }
  for (const float f : {65519.99f, 65520.0f, 0x1p-24f, 0x1p-25f, 0x1.8p-25f, -0.0f, 0x1.ffcp-15f, INFINITY}) {
    EXPECT_EQ(ToF16(f), std::bit_cast<uint16_t>(static_cast<_Float16>(f))) << f;
  }
  EXPECT_TRUE(std::isnan(FromF16(ToF16(NAN))));
}

TEST(Half, Bf16RoundsToNearestEven) {
  EXPECT_EQ(ToBF16(1.0f), 0x3f80);
  EXPECT_EQ(ToBF16(std::bit_cast<float>(0x3f808000u)), 0x3f80);  // a tie goes to the even one, below
  EXPECT_EQ(ToBF16(std::bit_cast<float>(0x3f818000u)), 0x3f82);  // and here above
  EXPECT_EQ(ToBF16(std::bit_cast<float>(0x3f808001u)), 0x3f81);
  EXPECT_TRUE(std::isnan(FromBF16(ToBF16(NAN))));
}

}  // namespace
}  // namespace bothy
