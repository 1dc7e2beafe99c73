#include "base/human.h"

#include "base/testing.h"

namespace bothy {
namespace {

TEST(Human, BytesAreOfThousandsAsDisksAreSold) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(999), "999 B");
  EXPECT_EQ(HumanBytes(1000), "1.0 kB");
  EXPECT_EQ(HumanBytes(999'949), "999.9 kB");
  EXPECT_EQ(HumanBytes(999'950), "1.0 MB");
  EXPECT_EQ(HumanBytes(1'500'000'000'000), "1.5 TB");
}

TEST(Human, SizesAreReadWithAndWithoutUnits) {
  EXPECT_EQ(*ParseBytes("0"), 0);
  EXPECT_EQ(*ParseBytes("1000"), 1000);
  EXPECT_EQ(*ParseBytes("50GB"), 50'000'000'000);
  EXPECT_EQ(*ParseBytes("50 gb"), 50'000'000'000);
  EXPECT_EQ(*ParseBytes("50G"), 50'000'000'000);
  EXPECT_EQ(*ParseBytes("1.5 TB"), 1'500'000'000'000);
  EXPECT_EQ(*ParseBytes("64MiB"), 64 << 20);
  EXPECT_EQ(*ParseBytes("1KiB"), 1024);
  EXPECT_EQ(*ParseBytes("3B"), 3);
}

TEST(Human, WhatIsNoSizeIsRefused) {
  for (const std::string_view text : {"", "GB", "-1", "1XB", "1GBB", "1 G B", "nan", "inf", "1e3", "0x10", "10000PB"}) {
    EXPECT_EQ(ParseBytes(text).error().code, ErrorCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace bothy
