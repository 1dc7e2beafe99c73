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

TEST(Json, NumbersAreReadExactly) {
  // Python's repr of doubles, which are exact; the first two are off by one bit in Boost's own parser.
  for (const auto& [text, value] : {std::pair{"2555552555555255555555055550550555505555", 0x1.e0a5613942c0ep+130},
                                    {"3.0000000054977558e+38", 0x1.c363ccp+127},
                                    {"-1.401298464324817e-45", -0x1p-149},
                                    {"0.1", 0.1},
                                    {"5e-324", 5e-324},
                                    {"1.7976931348623157e308", 1.7976931348623157e308},
                                    {"1e-400", 0.0}}) {
    const auto parsed = Parse(text, "f");
    ASSERT_OK(parsed);
    EXPECT_EQ(parsed->as_double(), value) << text;
  }
  EXPECT_FALSE(Parse("1e309", "f"));
}

TEST(Json, MoreValuesThanTheLimitAreRefused) {
  EXPECT_OK(Parse("[1, -2, 3.5, \"a\", true, null, {}]", "x", 8));
  const auto refused = Parse("[1, -2, 3.5, \"a\", true, null, {}]", "x", 7);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace bothy::json
