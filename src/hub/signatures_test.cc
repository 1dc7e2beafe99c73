#include "hub/signatures.h"

#include <gtest/gtest.h>

#include "base/testing.h"
#include "store/database/testing.h"

namespace bothy {
namespace {

class SignaturesTest : public DatabaseTest {
 protected:
  Timestamp now_{std::chrono::seconds(1'800'000'000)};
  Clock clock() {
    return [this] { return now_; };
  }
};

TEST_P(SignaturesTest, WhatWasSignedComesBackUntilItsTime) {
  const auto database = Open();
  const auto signatures = Signatures::Load(*database, clock());
  ASSERT_OK(signatures);
  const std::string signed_text = signatures->Sign("xorb", "a.b-c", now_ + std::chrono::seconds(10));
  EXPECT_EQ(signatures->Open("xorb", signed_text), "a.b-c");
  now_ += std::chrono::seconds(10);
  EXPECT_EQ(signatures->Open("xorb", signed_text), std::nullopt);
}

TEST_P(SignaturesTest, TheKeyStaysWithTheInstallation) {
  const auto database = Open();
  const auto first = Signatures::Load(*database, clock()), second = Signatures::Load(*database, clock());
  ASSERT_OK(first);
  ASSERT_OK(second);
  EXPECT_EQ(second->Open("p", first->Sign("p", "text", now_ + std::chrono::seconds(1))), "text");
}

TEST_P(SignaturesTest, NothingElseIsBelieved) {
  const auto database = Open();
  const auto signatures = Signatures::Load(*database, clock());
  ASSERT_OK(signatures);
  const std::string good = signatures->Sign("p", "text", now_ + std::chrono::seconds(1));
  EXPECT_EQ(signatures->Open("q", good), std::nullopt);
  for (size_t i = 0; i < good.size(); i++) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(signatures->Open("p", bad), std::nullopt) << bad;
    EXPECT_EQ(signatures->Open("p", good.substr(0, i)), std::nullopt);
  }
  EXPECT_EQ(signatures->Open("p", ""), std::nullopt);
  EXPECT_EQ(signatures->Open("p", ".."), std::nullopt);
}

BOTHY_ON_BOTH_DATABASES(SignaturesTest);

}  // namespace
}  // namespace bothy
