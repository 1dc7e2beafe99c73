#include "runtime/sampling/philox.h"

#include <gtest/gtest.h>

namespace bothy {
namespace {

using Words = std::array<uint32_t, 4>;

TEST(Philox, GivesTheKnownAnswersOfItsAuthors) {  // Random123 1.14, tests/kat_vectors, philox4x32 with 10 rounds
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}));
  constexpr uint32_t kOnes = 0xffffffffu;
  EXPECT_EQ(Philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}));
  EXPECT_EQ(Philox4x32({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}),
            (Words{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}));
}

TEST(Philox, EveryPartOfTheKeyChangesTheNumber) {
  const RandomKey key{.seed = 1, .sequence = 2, .position = 3, .draw = 4};
  const double number = UniformNumber(key);
  EXPECT_GE(number, 0.0);
  EXPECT_LT(number, 1.0);
  EXPECT_EQ(UniformNumber(key), number);
  for (int part = 0; part < 4; part++) {
    RandomKey other = key;
    if (part == 0) other.seed ^= uint64_t{1} << 40;
    if (part == 1) other.sequence++;
    if (part == 2) other.position += uint64_t{1} << 32;
    if (part == 3) other.draw++;
    EXPECT_NE(UniformNumber(other), number) << part;
  }
}

TEST(Philox, NumbersAreUniform) {
  constexpr size_t kBins = 64, kDraws = 64 * 4000;
  std::array<double, kBins> counts{};
  for (uint64_t i = 0; i < kDraws; i++) {
    counts[static_cast<size_t>(UniformNumber({.seed = 7, .position = i}) * kBins)]++;
  }
  double chi_square = 0;
  for (const double count : counts) chi_square += (count - 4000) * (count - 4000) / 4000;
  EXPECT_LT(chi_square, 114);  // 63 degrees of freedom: 1 in 10,000 is above 113.5
  EXPECT_GT(chi_square, 27);   // and 1 in 10,000 below 27.5: not better than random either
}

}  // namespace
}  // namespace bothy
