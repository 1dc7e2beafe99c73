#include "net/conditional.h"

#include <gtest/gtest.h>

namespace bothy::net {
namespace {

constexpr int64_t kThen = 784111777;
constexpr std::string_view kThenText = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kBeforeText = "Sun, 06 Nov 1994 08:49:36 GMT";
const Validators kStrong{"\"xyzzy\"", kThen};
const Validators kWeak{"W/\"xyzzy\"", kThen};

RangeSelection Select(std::string_view range, uint64_t size) { return SelectRange({{"Range", range}}, kStrong, size); }
RangeSelection Part(uint64_t first, uint64_t length) { return {RangeSelection::kPart, {first, length}}; }
const RangeSelection kWhole{};
const RangeSelection kUnsatisfiable{RangeSelection::kUnsatisfiable, {}};

// RFC 9110, 14.1.2: the examples are of a representation of 10000 bytes.
TEST(SelectRange, FollowsTheExamplesOfTheStandard) {
  EXPECT_EQ(Select("bytes=0-499", 10000), Part(0, 500));
  EXPECT_EQ(Select("bytes=500-999", 10000), Part(500, 500));
  EXPECT_EQ(Select("bytes=-500", 10000), Part(9500, 500));
  EXPECT_EQ(Select("bytes=9500-", 10000), Part(9500, 500));
  EXPECT_EQ(Select("bytes=9999-20000", 10000), Part(9999, 1));
  EXPECT_EQ(Select("bytes=-20000", 10000), Part(0, 10000));
  EXPECT_EQ(Select("Bytes=0-0", 10000), Part(0, 1));
}

TEST(SelectRange, IsUnsatisfiablePastTheEnd) {
  EXPECT_EQ(Select("bytes=10000-", 10000), kUnsatisfiable);
  EXPECT_EQ(Select("bytes=99999999999999999999999-", 10000), kUnsatisfiable);
  EXPECT_EQ(Select("bytes=-0", 10000), kUnsatisfiable);
  EXPECT_EQ(Select("bytes=0-", 0), kUnsatisfiable);
}

TEST(SelectRange, IgnoresWhatItDoesNotUnderstand) {
  for (const char* range : {"bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=1", "lines=0-1",
                            "bytes=0-1,3-4", "bytes=+1-2", "bytes=0--1", "bytes= 0-1-2"}) {
    EXPECT_EQ(Select(range, 10000), kWhole) << range;
  }
  EXPECT_EQ(SelectRange({}, kStrong, 10000), kWhole);
  EXPECT_EQ(Select("bytes=-5", 0), kWhole);
}

TEST(SelectRange, IfRangeTakesTheWholeWhereItHasChanged) {
  const auto with = [](std::string_view if_range, const Validators& validators) {
    return SelectRange({{"Range", "bytes=0-0"}, {"If-Range", if_range}}, validators, 10);
  };
  EXPECT_EQ(with("\"xyzzy\"", kStrong), Part(0, 1));
  EXPECT_EQ(with("\"other\"", kStrong), kWhole);
  EXPECT_EQ(with("W/\"xyzzy\"", kWeak), kWhole);  // only strong comparison
  EXPECT_EQ(with(kThenText, kStrong), Part(0, 1));
  EXPECT_EQ(with(kBeforeText, kStrong), kWhole);
  EXPECT_EQ(with("nonsense", kStrong), kWhole);
}

TEST(ContentRange, NamesTheLastByte) {
  EXPECT_EQ(ContentRange({0, 500}, 1234), "bytes 0-499/1234");
  EXPECT_EQ(UnsatisfiableContentRange(1234), "bytes */1234");
}

struct Case {
  Headers headers;
  Method method;
  Validators validators;
  bool exists;
  Precondition expected;
};

TEST(Preconditions, FollowTheOrderOfTheStandard) {
  constexpr auto kProceed = Precondition::kProceed;
  constexpr auto kNotModified = Precondition::kNotModified;
  constexpr auto kFailed = Precondition::kFailed;
  const Case cases[] = {
      {{}, Method::kGet, kStrong, true, kProceed},
      {{{"If-None-Match", "\"xyzzy\""}}, Method::kGet, kStrong, true, kNotModified},
      {{{"If-None-Match", "\"xyzzy\""}}, Method::kHead, kStrong, true, kNotModified},
      {{{"If-None-Match", "\"xyzzy\""}}, Method::kPut, kStrong, true, kFailed},
      {{{"If-None-Match", "W/\"xyzzy\""}}, Method::kGet, kStrong, true, kNotModified},
      {{{"If-None-Match", "\"a\", \"xyzzy\""}}, Method::kGet, kWeak, true, kNotModified},
      {{{"If-None-Match", "\"a\""}, {"If-None-Match", "\"xyzzy\""}}, Method::kGet, kWeak, true, kNotModified},
      {{{"If-None-Match", "\"a\""}}, Method::kGet, kStrong, true, kProceed},
      {{{"If-None-Match", "xyzzy"}}, Method::kGet, kStrong, true, kProceed},
      {{{"If-None-Match", "*"}}, Method::kPut, kStrong, true, kFailed},
      {{{"If-None-Match", "*"}}, Method::kPut, kStrong, false, kProceed},
      {{{"If-Match", "*"}}, Method::kPut, kStrong, true, kProceed},
      {{{"If-Match", "*"}}, Method::kPut, kStrong, false, kFailed},
      {{{"If-Match", "\"xyzzy\""}}, Method::kPut, kStrong, true, kProceed},
      {{{"If-Match", "\"other\""}}, Method::kGet, kStrong, true, kFailed},
      {{{"If-Match", "W/\"xyzzy\""}}, Method::kPut, kWeak, true, kFailed},  // strong comparison
      {{{"If-Modified-Since", kThenText}}, Method::kGet, kStrong, true, kNotModified},
      {{{"If-Modified-Since", kBeforeText}}, Method::kGet, kStrong, true, kProceed},
      {{{"If-Modified-Since", kThenText}}, Method::kPost, kStrong, true, kProceed},
      {{{"If-Modified-Since", "yesterday"}}, Method::kGet, kStrong, true, kProceed},
      // If-None-Match decides alone.
      {{{"If-None-Match", "\"a\""}, {"If-Modified-Since", kThenText}}, Method::kGet, kStrong, true, kProceed},
      {{{"If-Unmodified-Since", kBeforeText}}, Method::kPut, kStrong, true, kFailed},
      {{{"If-Unmodified-Since", kThenText}}, Method::kPut, kStrong, true, kProceed},
      {{{"If-Match", "\"xyzzy\""}, {"If-Unmodified-Since", kBeforeText}}, Method::kPut, kStrong, true, kProceed},
  };
  int number = 0;
  for (const Case& c : cases) {
    EXPECT_EQ(EvaluatePreconditions(c.method, c.headers, c.validators, c.exists), c.expected) << "case " << number;
    number++;
  }
}

TEST(StrongEtag, IsQuotedAndCannotBreakOut) {
  EXPECT_EQ(StrongEtag("abc/1"), "\"abc/1\"");
  EXPECT_EQ(StrongEtag("a\"b c"), "\"a%22b%20c\"");
}

}  // namespace
}  // namespace bothy::net
