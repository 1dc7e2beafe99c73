#include "codec/json.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace bothy::json {
namespace {

TEST(Json, AnErrorNamesTheFileAndTheOffset) {
  const auto result = Parse("{\"a\": nope}", "config.json");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(result.error().message.find("config.json: offset 6"), std::string::npos) << result.error().message;
  EXPECT_FALSE(Parse("{} {}", "f"));
  EXPECT_FALSE(Parse("", "f"));
  EXPECT_FALSE(Parse("\"\xff\"", "f"));
}

TEST(Json, DepthIsLimited) {
  EXPECT_OK(Parse(std::string(kMaxDepth, '[') + std::string(kMaxDepth, ']'), "f"));
  EXPECT_FALSE(Parse(std::string(kMaxDepth + 1, '[') + std::string(kMaxDepth + 1, ']'), "f"));
  EXPECT_FALSE(Parse(std::string(10'000'000, '['), "f"));
}

TEST(Json, MembersHaveTypes) {
  const auto parsed = Parse(R"({"i": 5, "f": 5.5, "whole": 7.0, "s": "x", "n": null, "big": 1e300})", "f");
  ASSERT_OK(parsed);
  const object& o = parsed->as_object();
  EXPECT_EQ(*GetInt(o, "i"), 5);
  EXPECT_EQ(*GetInt(o, "whole"), 7);
  EXPECT_EQ(*GetInt(o, "n"), std::nullopt);
  EXPECT_EQ(*GetInt(o, "none"), std::nullopt);
  EXPECT_EQ(GetInt(o, "s").error().message, "key \"s\": expected an integer, found a string");
  EXPECT_FALSE(GetInt(o, "f"));
  EXPECT_FALSE(GetInt(o, "big"));
  EXPECT_EQ(*GetNumber(o, "i"), 5.0);
  EXPECT_EQ(*GetString(o, "s"), "x");
}

}  // namespace
}  // namespace bothy::json
