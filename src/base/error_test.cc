#include "base/error.h"

#include <gtest/gtest.h>

#include <memory>

namespace bothy {
namespace {

Result<std::unique_ptr<int>> Make(bool good) {
  if (!good) return Fail(ErrorCode::kNotFound, "no {}", "int");
  return std::make_unique<int>(7);
}

Result<int> Twice(bool first, bool second) {
  const auto a = TRY(Make(first));
  return *a + *TRY_CONTEXT("second", Make(second));
}

Result<void> Nothing(bool good) {
  TRY(Twice(good, good));
  return {};
}

TEST(Error, TryTakesTheValueOrReturnsTheError) {
  EXPECT_EQ(Twice(true, true), 14);
  EXPECT_EQ(Twice(false, true).error().message, "no int");
  EXPECT_EQ(Twice(true, false).error().message, "second: no int");
  EXPECT_EQ(Twice(true, false).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(Nothing(true));
  EXPECT_FALSE(Nothing(false));
}

}  // namespace
}  // namespace bothy
