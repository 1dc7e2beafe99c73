#include "crypto/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/testing.h"

namespace bothy {
namespace {

constexpr PasswordCost kCheap = {1, 8192};  // the least that argon2id takes

TEST(Random, BytesAreNotRepeated) {
  std::set<std::array<std::byte, 16>> seen;
  for (int i = 0; i < 1000; i++) {
    std::array<std::byte, 16> bytes{};
    FillRandom(bytes);
    EXPECT_TRUE(seen.insert(bytes).second);
  }
}

TEST(Random, EveryCharacterOfATokenIsAsLikelyAsAnyOther) {
  std::array<int, 256> counts{};
  const std::string text = RandomAlphanumeric(62 * 1000);
  ASSERT_EQ(text.size(), 62000u);
  for (const char c : text) counts[static_cast<uint8_t>(c)]++;
  int letters = 0;
  for (int c = 0; c < 256; c++) {
    const int count = counts[static_cast<size_t>(c)];
    if (count == 0) continue;
    EXPECT_TRUE(std::isalnum(c)) << c;
    letters++;
    // Binomial with mean 1000 and deviation 31.4: seven of these are exceeded once in 6 billion runs of 62 letters.
    EXPECT_NEAR(count, 1000, 220) << static_cast<char>(c);
  }
  EXPECT_EQ(letters, 62);
}

TEST(Secrets, AreEqualOnlyWhereEveryByteIs) {
  EXPECT_TRUE(SecretsEqual("", ""));
  EXPECT_TRUE(SecretsEqual("hf_abc", "hf_abc"));
  for (const char* other : {"", "hf_ab", "hf_abd", "xf_abc", "hf_abcd"}) EXPECT_FALSE(SecretsEqual("hf_abc", other));
}

TEST(Passwords, OnlyTheRightOneMatches) {
  const auto stored = HashPassword("correct horse", kCheap);
  ASSERT_OK(stored);
  EXPECT_TRUE(PasswordMatches("correct horse", *stored));
  EXPECT_FALSE(PasswordMatches("correct horsf", *stored));
  EXPECT_FALSE(PasswordMatches("", *stored));
  EXPECT_FALSE(PasswordMatches(std::string_view("correct horse\0", 14), *stored));
  EXPECT_NE(*stored, *HashPassword("correct horse", kCheap)) << "each has its own salt";
}

// argon2-cffi 25.1.0: PasswordHasher(time_cost=1, memory_cost=64, parallelism=1, hash_len=32).hash("bothy", salt=...).
TEST(Passwords, WhatAnotherLibraryStoredMatches) {
  const std::string stored =
      "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$CcnarfSG85e64G7JESSsrquZsv/8UVFBK8HW7zTK18I";
  EXPECT_TRUE(PasswordMatches("bothy", stored));
  EXPECT_FALSE(PasswordMatches("Bothy", stored));
}

TEST(Passwords, TheStoredTextNamesItsCostAndTellsWhenThatHasChanged) {
  const auto stored = HashPassword("x");
  ASSERT_OK(stored);
  EXPECT_THAT(*stored, testing::StartsWith("$argon2id$v=19$m=65536,t=3,p=1$"));
  EXPECT_FALSE(PasswordNeedsRehash(*stored));
  EXPECT_TRUE(PasswordNeedsRehash(*stored, {4, size_t{64} << 20}));
  EXPECT_TRUE(PasswordNeedsRehash(*stored, {3, size_t{32} << 20}));
  EXPECT_TRUE(PasswordNeedsRehash("nonsense"));
}

TEST(Passwords, OverlongOnesAndForeignTextsAreRefused) {
  EXPECT_OK(HashPassword(std::string(kMaxPasswordBytes, 'x'), kCheap));
  const auto longer = HashPassword(std::string(kMaxPasswordBytes + 1, 'x'), kCheap);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, ErrorCode::kInvalidArgument);
  for (const char* text : {"", "x", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$!!$!!", "$argon2i$v=19$m=8,t=1,p=1$"}) {
    EXPECT_FALSE(PasswordMatches("x", text)) << text;
  }
}

}  // namespace
}  // namespace bothy
