#include "base/hex.h"

#include <gtest/gtest.h>

#include <array>

namespace bothy {
namespace {

TEST(Hex, BytesComeBackFromTheirDigits) {
  const std::array<std::byte, 4> bytes = {std::byte{0x00}, std::byte{0x7f}, std::byte{0xa5}, std::byte{0xff}};
  EXPECT_EQ(EncodeHex(bytes), "007fa5ff");
  std::array<std::byte, 4> back{};
  ASSERT_TRUE(DecodeHex("007fa5ff", back));
  EXPECT_EQ(back, bytes);
  ASSERT_TRUE(DecodeHex("007FA5fF", back));
  EXPECT_EQ(back, bytes);
}

TEST(Hex, WrongLengthsAndOtherCharactersAreRefused) {
  std::array<std::byte, 2> out{};
  for (const char* text : {"", "000", "00000", "000000", "00g0", "0x00", " 000", "00-1"})
    EXPECT_FALSE(DecodeHex(text, out)) << text;
}

}  // namespace
}  // namespace bothy
