#include "hub/lfs_parts.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "base/testing.h"

namespace bothy {
namespace {

class LfsPartsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto parts = LfsParts::Open(folder_.path());
    ASSERT_OK(parts);
    parts_.emplace(*std::move(parts));
  }

  Result<std::string> Send(uint64_t number, std::string_view text) {
    auto writer = TRY(parts_->Create(ticket_, number));
    TRY(writer.Write(std::as_bytes(std::span(text))));
    return writer.Finish();
  }

  TemporaryFolder folder_;
  std::optional<LfsParts> parts_;
  const LfsTicket ticket_ = {.purpose = LfsTicket::Purpose::kUpload,
                             .repository_id = 1,
                             .user_id = 2,
                             .sha256 = std::string(64, 'a'),
                             .size = 5};
};

TEST(LfsPart, AllButTheLastAreOfOneLength) {
  EXPECT_EQ(LfsPartCount(1), 1u);
  EXPECT_EQ(LfsPartCount(kLfsPartBytes), 1u);
  EXPECT_EQ(LfsPartCount(kLfsPartBytes + 1), 2u);
  EXPECT_EQ(LfsPartBytes(kLfsPartBytes + 1, 1), kLfsPartBytes);
  EXPECT_EQ(LfsPartBytes(kLfsPartBytes + 1, 2), 1u);
  EXPECT_EQ(LfsPartBytes(2 * kLfsPartBytes, 2), kLfsPartBytes);
}

TEST_F(LfsPartsTest, ATagIsTheHashOfThePart) {
  const auto tag = Send(1, "hello");
  ASSERT_OK(tag);
  EXPECT_EQ(*tag, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  const auto part = parts_->OpenPart(ticket_, 1, *tag);
  ASSERT_OK(part);
  EXPECT_EQ((*part)->ReadAll(5).value_or(""), "hello");
  ASSERT_OK(parts_->Remove(ticket_, 1, *tag));
  EXPECT_EQ(parts_->OpenPart(ticket_, 1, *tag).error().code, ErrorCode::kNotFound);
}

TEST_F(LfsPartsTest, NobodyCanNameAPartOfSomebodyElse) {
  const auto tag = Send(1, "hello");
  ASSERT_OK(tag);
  LfsTicket other = ticket_;
  other.user_id = 3;
  EXPECT_EQ(parts_->OpenPart(other, 1, *tag).error().code, ErrorCode::kNotFound);
  other = ticket_;
  other.sha256 = std::string(64, 'b');
  EXPECT_EQ(parts_->OpenPart(other, 1, *tag).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(parts_->OpenPart(ticket_, 1, std::string(64, 'c')).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(parts_->OpenPart(ticket_, 1, "").error().code, ErrorCode::kNotFound);
}

TEST_F(LfsPartsTest, APartOfAnotherLengthOrNumberIsRefused) {
  for (const char* text : {"hell", "hello!", ""}) {
    EXPECT_EQ(Send(1, text).error().code, ErrorCode::kInvalidArgument) << text;
  }
  for (const uint64_t number : {0u, 2u}) EXPECT_EQ(Send(number, "hello").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(LfsPartsTest, WhatNobodyHasCompletedIsRemoved) {
  const auto tag = Send(1, "hello");
  ASSERT_OK(tag);
  const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  ASSERT_OK(parts_->RemoveOlderThan(now - std::chrono::hours(1)));
  EXPECT_OK(parts_->OpenPart(ticket_, 1, *tag));
  ASSERT_OK(parts_->RemoveOlderThan(now + std::chrono::hours(1)));
  EXPECT_FALSE(parts_->OpenPart(ticket_, 1, *tag));
}

}  // namespace
}  // namespace bothy
