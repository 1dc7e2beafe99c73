#include "base/base64.h"

#include <gtest/gtest.h>

namespace bothy {
namespace {

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// RFC 4648, section 10.
constexpr std::pair<std::string_view, std::string_view> kVectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

TEST(Base64, TheVectorsOfTheStandardGoBothWays) {
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(EncodeBase64(Bytes(bytes)), text);
    EXPECT_EQ(DecodeBase64(text), std::string(bytes));
    std::string bare(text);
    bare.erase(std::min(bare.find('='), bare.size()));
    EXPECT_EQ(EncodeBase64Url(Bytes(bytes)), bare);
    EXPECT_EQ(DecodeBase64Url(bare), std::string(bytes));
    EXPECT_EQ(DecodeBase64(bare), std::string(bytes)) << "padding may be missing";
  }
}

TEST(Base64, TheTwoAlphabetsDifferInTwoCharacters) {
  EXPECT_EQ(EncodeBase64(Bytes("\xfb\xff\xfe")), "+//+");
  EXPECT_EQ(EncodeBase64Url(Bytes("\xfb\xff\xfe")), "-__-");
  EXPECT_EQ(DecodeBase64("-__-"), std::nullopt);
  EXPECT_EQ(DecodeBase64Url("+//+"), std::nullopt);
}

TEST(Base64, WhatIsNotBase64IsRefused) {
  for (const char* text : {"Z", "====", "Zm9vY", "Zm9v\n", "Zm=v", "Zm 9v", "\xc3\xa9"}) {
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace bothy
