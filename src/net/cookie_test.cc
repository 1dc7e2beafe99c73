#include "net/cookie.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bothy::net {
namespace {

using ::testing::Optional;

std::optional<std::string_view> Find(const Headers& headers, std::string_view name) {
  return FindCookie(headers, name);
}

// The examples of RFC 6265, 3.1.
TEST(Cookie, IsFoundAmongOthers) {
  const Headers headers{{"Cookie", "SID=31d4d96e407aad42; lang=en-US"}};
  EXPECT_THAT(Find(headers, "SID"), Optional(std::string_view("31d4d96e407aad42")));
  EXPECT_THAT(Find(headers, "lang"), Optional(std::string_view("en-US")));
  EXPECT_EQ(Find(headers, "ang"), std::nullopt);
  EXPECT_EQ(Find(headers, "sid"), std::nullopt);  // names have a case
  EXPECT_EQ(Find({}, "SID"), std::nullopt);
}

TEST(Cookie, IsTheFirstOfItsName) {
  const Headers headers{{"Cookie", "a=1;b=2; a=3"}, {"Cookie", "b=4; c=5"}};
  EXPECT_THAT(Find(headers, "a"), Optional(std::string_view("1")));
  EXPECT_THAT(Find(headers, "b"), Optional(std::string_view("2")));
  EXPECT_THAT(Find(headers, "c"), Optional(std::string_view("5")));
}

TEST(Cookie, IsFoundAmongWhatIsNone) {
  const Headers headers{{"Cookie", ";; a ;=x; b = \"q\" ; c=x=y;d="}};
  EXPECT_EQ(Find(headers, "a"), std::nullopt);
  EXPECT_THAT(Find(headers, "b"), Optional(std::string_view("q")));
  EXPECT_THAT(Find(headers, "c"), Optional(std::string_view("x=y")));
  EXPECT_THAT(Find(headers, "d"), Optional(std::string_view("")));
}

TEST(Cookie, IsSetSoThatOnlyTheServerSeesIt) {
  EXPECT_EQ(SetCookie({.name = "token", .value = "abc"}), "token=abc; Path=/; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(SetCookie({.name = "token",
                       .value = "",
                       .max_age = std::chrono::seconds(0),
                       .path = "/x",
                       .secure = false,
                       .http_only = false,
                       .same_site = Cookie::SameSite::kStrict}),
            "token=; Path=/x; Max-Age=0; SameSite=Strict");
}

TEST(Cookie, AValueCannotEndOrAddAnything) {
  EXPECT_TRUE(IsCookieValue("AZaz09-_.~=+/!"));
  for (const char c : std::string("\" ,;\\\r\n\t\0\x7f\x80", 11)) EXPECT_FALSE(IsCookieValue({&c, 1})) << int(c);
}

}  // namespace
}  // namespace bothy::net
