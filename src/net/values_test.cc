// Statuses, headers, targets, media types, dates and quoting: functions of values, against the examples of the RFCs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "net/date.h"
#include "net/header_values.h"
#include "net/headers.h"
#include "net/media_type.h"
#include "net/status.h"
#include "net/target.h"

namespace bothy::net {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::Pair;

TEST(Status, EveryErrorIsAClientsOrAServersError) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); code++) {
    const Status status = StatusOf(static_cast<ErrorCode>(code));
    EXPECT_GE(Number(status), 400);
    EXPECT_NE(ReasonPhrase(status), "");
  }
  EXPECT_EQ(StatusOf(ErrorCode::kNotFound), Status::kNotFound);
  EXPECT_EQ(ErrorCodeOf(Status::kNotFound), ErrorCode::kNotFound);
  EXPECT_EQ(ErrorCodeOf(static_cast<Status>(418)), ErrorCode::kInvalidArgument);
}

TEST(Method, IsCaseSensitive) {
  EXPECT_THAT(ParseMethod("GET"), Optional(Method::kGet));
  EXPECT_EQ(ParseMethod("get"), std::nullopt);
  EXPECT_EQ(ParseMethod("BREW"), std::nullopt);
}

TEST(Headers, AreFoundWhateverTheirCaseAndKeptInOrder) {
  Headers headers{{"Accept", "a"}, {"X-One", "1"}, {"accept", " b\t"}};
  EXPECT_THAT(headers.Find("ACCEPT"), Optional(std::string_view("a")));
  EXPECT_THAT(headers.FindAll("Accept"), ElementsAre("a", "b"));
  EXPECT_EQ(headers.begin()->first, "Accept");
  headers.Set("accept", "c");
  EXPECT_THAT(headers, ElementsAre(Pair("X-One", "1"), Pair("accept", "c")));
  headers.Remove("x-one");
  EXPECT_FALSE(headers.Has("X-One"));
}

TEST(Headers, NoValueEndsALine) {
  const Headers headers{{"Location", "/a\r\nSet-Cookie: x"}};
  EXPECT_THAT(headers.Find("Location"), Optional(std::string_view("/a  Set-Cookie: x")));
}

TEST(Headers, ListsAreSplitAtCommasOutsideOfQuotes) {
  EXPECT_THAT(SplitList("a, \"b,c\" ,,d"), ElementsAre("a", "\"b,c\"", "d"));
  EXPECT_THAT(SplitList("\"a\\\",b\",c"), ElementsAre("\"a\\\",b\"", "c"));
  EXPECT_THAT(SplitList("\"open\\"), ElementsAre("\"open\\"));
  EXPECT_THAT(SplitList(" "), ElementsAre());
  EXPECT_TRUE((Headers{{"Connection", "x, Close"}}.ListHas("connection", "close")));
  EXPECT_FALSE((Headers{{"Connection", "closed"}}.ListHas("connection", "close")));
}

TEST(PercentDecode, DecodesOnceAndRefusesWhatIsMalformed) {
  EXPECT_EQ(PercentDecode("refs%2Fpr%2f1").value(), "refs/pr/1");
  EXPECT_EQ(PercentDecode("a%252F+").value(), "a%2F+");
  EXPECT_EQ(PercentDecode("%E2%82%AC").value(), "€");
  for (const char* bad : {"%", "a%2", "%zz", "%%20", "%00", "%+1", "% 1"}) EXPECT_FALSE(PercentDecode(bad)) << bad;
  EXPECT_FALSE(PercentDecode(std::string_view("a\0b", 3)));
}

TEST(PercentEncode, KeepsWhatIsUnreserved) {
  EXPECT_EQ(PercentEncode("a b/€~"), "a%20b%2F%E2%82%AC~");
  EXPECT_EQ(PercentEncode("a b/c", "/"), "a%20b/c");
}

TEST(QueryParameters, KeepOrderAndRepeats) {
  const auto query = QueryParameters::Parse("expand=a&x=%26+1&&expand=b&flag&empty=&e=a=b");
  ASSERT_OK(query);
  EXPECT_THAT(*query, ElementsAre(Pair("expand", "a"), Pair("x", "& 1"), Pair("expand", "b"), Pair("flag", ""),
                                  Pair("empty", ""), Pair("e", "a=b")));
  EXPECT_THAT(query->FindAll("expand"), ElementsAre("a", "b"));
  EXPECT_EQ(query->Find("none"), std::nullopt);
}

TEST(QueryParameters, AreBoundedAndWellFormed) {
  EXPECT_OK(QueryParameters::Parse("a&b", 2));
  EXPECT_EQ(QueryParameters::Parse("a&b&c", 2).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(QueryParameters::Parse("a=%").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(QueryParameters::Parse("%00=a").error().code, ErrorCode::kInvalidArgument);
}

TEST(Target, KeepsPathAndQueryRaw) {
  const auto target = Target::Parse("/api/models/a%2Fb/?x=%31?&y");
  ASSERT_OK(target);
  EXPECT_EQ(target->path, "/api/models/a%2Fb/");
  EXPECT_EQ(target->query, "x=%31?&y");
  EXPECT_EQ(Target::Parse("*").value().path, "*");
}

TEST(Target, TakesTheAbsoluteForm) {
  const auto target = Target::Parse("HTTP://host:80/a?b");
  ASSERT_OK(target);
  EXPECT_EQ(target->authority, "host:80");
  EXPECT_EQ(target->path, "/a");
  EXPECT_EQ(target->query, "b");
  EXPECT_EQ(Target::Parse("http://host?b").value().path, "/");
}

TEST(Target, RefusesWhatIsNone) {
  for (const char* bad : {"", "a", "host:80", "/a b", "/a#b", "/\x7f", "/é", "/%", "/%0", "/%00", "http://",
                          "http:///a", "http://user@host/", "ftp://host/", "/a\tb"}) {
    EXPECT_FALSE(Target::Parse(bad)) << bad;
  }
}

TEST(MediaType, IsReadWithItsParameters) {
  const auto type = MediaType::Parse("Text/HTML;Charset=\"utf-8\" ; q=0.5");
  ASSERT_TRUE(type);
  EXPECT_EQ(type->essence, "text/html");
  EXPECT_THAT(type->Find("charset"), Optional(std::string_view("utf-8")));
  EXPECT_THAT(type->Find("q"), Optional(std::string_view("0.5")));
  for (const char* bad : {"", "text", "text/", "/html", "te xt/html", "text/html; a", ";a=b"}) {
    EXPECT_FALSE(MediaType::Parse(bad)) << bad;
  }
}

// The table of RFC 9110, 12.5.1.
TEST(AcceptQuality, TheMostSpecificRangeDecides) {
  constexpr std::string_view kAccept =
      "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5";
  EXPECT_EQ(AcceptQuality(kAccept, "text/html"), 300);
  EXPECT_EQ(AcceptQuality(kAccept, "image/jpeg"), 500);
  EXPECT_EQ(AcceptQuality("text/plain;q=0.7", "text/plain"), 700);
  EXPECT_EQ(AcceptQuality("text/plain;q=0.001", "text/plain"), 1);
  EXPECT_EQ(AcceptQuality("application/json", "text/html"), 0);
  EXPECT_EQ(AcceptQuality(std::nullopt, "text/html"), 1000);
}

TEST(NegotiateMediaType, TakesWhatIsWantedMost) {
  constexpr std::string_view kOffers[] = {"text/html", "application/vnd.xet-fileinfo+json"};
  EXPECT_EQ(NegotiateMediaType("application/vnd.xet-fileinfo+json, */*", kOffers), 0);  // both 1: the first offer
  EXPECT_EQ(NegotiateMediaType("application/vnd.xet-fileinfo+json, */*;q=0.1", kOffers), 1);
  EXPECT_EQ(NegotiateMediaType("image/png", kOffers), std::nullopt);
  EXPECT_EQ(NegotiateMediaType("text/html;q=0", kOffers), std::nullopt);
}

// RFC 9110, 5.6.7.
TEST(HttpDate, ReadsAllThreeForms) {
  EXPECT_THAT(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), Optional(784111777));
  EXPECT_THAT(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT"), Optional(784111777));
  EXPECT_THAT(ParseHttpDate("Sun Nov  6 08:49:37 1994"), Optional(784111777));
  EXPECT_EQ(FormatHttpDate(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(FormatHttpDate(1709210096), "Thu, 29 Feb 2024 12:34:56 GMT");
  for (const char* bad :
       {"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun Nov 6 08:49:37 1994"}) {
    EXPECT_FALSE(ParseHttpDate(bad)) << bad;
  }
}

// RFC 6266, 5: a plain name, and one that is not, with its fallback.
TEST(ContentDisposition, EscapesWhatIsNotPlain) {
  EXPECT_EQ(ContentDisposition("attachment", "example.html"), "attachment; filename=\"example.html\"");
  EXPECT_EQ(ContentDisposition("attachment", "€ rates"),
            "attachment; filename=\"_ rates\"; filename*=UTF-8''%E2%82%AC%20rates");
  EXPECT_EQ(ContentDisposition("inline", "a\"\\\r\n.txt"),
            "inline; filename=\"a____.txt\"; filename*=UTF-8''a%22%5C%0D%0A.txt");
}

TEST(Link, IsFoundAgain) {
  EXPECT_EQ(Link("https://host/a?b=c d>", "next"), "<https://host/a?b=c%20d%3E>; rel=\"next\"");
  constexpr std::string_view kField = "<https://a/x,y;z>; rel=\"xet-auth\", </b>; title=\"c\"; rel=next";
  EXPECT_THAT(FindLink(kField, "next"), Optional(std::string("/b")));
  EXPECT_THAT(FindLink(kField, "Xet-Auth"), Optional(std::string("https://a/x,y;z")));
  EXPECT_EQ(FindLink(kField, "prev"), std::nullopt);
  EXPECT_EQ(FindLink("<", "next"), std::nullopt);
}

}  // namespace
}  // namespace bothy::net
