#include "net/request_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "net/body.h"
#include "net/executor.h"
#include "net/memory_stream.h"

namespace bothy::net {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

// What a connection does with a stream, in words: "METHOD path body" for each request, then how it ended.
Task<std::vector<std::string>> ReadEverything(ByteStream& stream, const ReadLimits& limits, size_t out_size) {
  std::vector<std::string> seen;
  RequestReader reader(stream, limits);
  for (;;) {
    const auto waited = co_await reader.WaitForRequest();
    if (!waited) break;
    auto head = co_await reader.ReadHead();
    if (!head) {
      seen.push_back(std::to_string(Number(head.error().status)));
      break;
    }
    std::string body;
    std::string piece(out_size, '\0');
    for (;;) {
      auto read = co_await reader.ReadBody(std::as_writable_bytes(std::span(piece)));
      if (!read) {
        seen.push_back(head->method + " " + head->target.path + " " + std::string(ErrorCodeName(read.error().code)));
        co_return seen;
      }
      if (*read == 0) break;
      body += piece.substr(0, *read);
    }
    seen.push_back(head->method + " " + head->target.path + (body.empty() ? "" : " " + body));
    if (!head->keep_alive) break;
  }
  co_return seen;
}

// The same however the bytes are cut.
std::vector<std::string> Read(const std::string& text, const ReadLimits& limits = {}) {
  MemoryStream whole(text);
  auto seen = RunToCompletion(ReadEverything(whole, limits, 1000));
  MemoryStream bytes(text, 1);
  EXPECT_EQ(RunToCompletion(ReadEverything(bytes, limits, 1)), seen) << text;
  MemoryStream pieces(text, 7);
  EXPECT_EQ(RunToCompletion(ReadEverything(pieces, limits, 3)), seen) << text;
  return seen;
}

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
std::string With(const std::string& fields, const std::string& body = "") {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

TEST(RequestReader, ReadsHeadsAndBodies) {
  EXPECT_THAT(Read(kGet), ElementsAre("GET /"));
  EXPECT_THAT(Read(With("Content-Length: 5\r\n", "hello")), ElementsAre("POST /x hello"));
  EXPECT_THAT(Read(With("Transfer-Encoding: chunked\r\n", "3\r\nhel\r\n2;a=b;c=\"d\"\r\nlo\r\n0\r\n\r\n")),
              ElementsAre("POST /x hello"));
  EXPECT_THAT(Read(With("Transfer-Encoding: Chunked\r\n", "A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")),
              ElementsAre("POST /x 0123456789"));
  EXPECT_THAT(Read("GET http://b/y?z HTTP/1.1\r\nHost: a\r\n\r\n"), ElementsAre("GET /y"));
  EXPECT_THAT(Read("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), ElementsAre("OPTIONS *"));
}

TEST(RequestReader, ReadsOneRequestAfterTheOther) {
  EXPECT_THAT(Read(kGet + With("Content-Length: 2\r\n", "hi") + "\r\n" +
                   With("Transfer-Encoding: chunked\r\n", "2\r\nho\r\n0\r\n\r\n") + kGet),
              ElementsAre("GET /", "POST /x hi", "POST /x ho", "GET /"));
  EXPECT_THAT(Read(With("Connection: close\r\n") + kGet), ElementsAre("POST /x"));
  EXPECT_THAT(Read("GET / HTTP/1.0\r\n\r\n" + kGet), ElementsAre("GET /"));
  EXPECT_THAT(Read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + kGet), ElementsAre("GET /", "GET /"));
}

// Every form that a proxy in front and this server could cut differently. RFC 9112, 2.2, 5, 6 and 7.
TEST(RequestReader, RefusesSmuggling) {
  const std::string chunk = "0\r\n\r\n";
  const std::string cases[] = {
      With("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunk),
      With("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunk),
      With("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
      With("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"),
      With("Content-Length: 5, 5\r\n", "hello"),
      With("Content-Length: +5\r\n", "hello"),
      With("Content-Length: -5\r\n", "hello"),
      With("Content-Length: 0x5\r\n", "hello"),
      With("Content-Length: 5 5\r\n", "hello"),
      With("Content-Length: \r\n", "hello"),
      With("Content-Length: 99999999999999999999\r\n", "hello"),
      With("Content-Length : 5\r\n", "hello"),
      With("Content-Length\t: 5\r\n", "hello"),
      With("Transfer-Encoding : chunked\r\n", chunk),
      With("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunk),
      With("Transfer-Encoding: \x0b"
           "chunked\r\n",
           chunk),
      With("Transfer-Encoding:\n chunked\r\n", chunk),
      With("Transfer-Encoding:\r\n chunked\r\n", chunk),
      With("A: b\r\n Transfer-Encoding: chunked\r\n", chunk),
      With("A: b\nContent-Length: 5\r\n", "hello"),
      With("A: b\rContent-Length: 5\r\n", "hello"),
      With(std::string("A: b\0c\r\n", 8)),
      With(" A: b\r\n"),
      With("A b\r\n"),
      With(": b\r\n"),
      With("A\x01: b\r\n"),
      With("Host: b\r\n"),
      "POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk,
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: \r\n\r\n",
      "GET / HTTP/1.1\nHost: a\n\n\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
      "GET / http/1.1\r\nHost: a\r\n\r\n",
      "GET /\r\nHost: a\r\n\r\n",
      " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "\x16\x03\x01",
      "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
  };
  for (const std::string& text : cases) {
    EXPECT_THAT(Read(text + kGet), ElementsAre(testing::AnyOf("400", "505"))) << text;
  }
  EXPECT_THAT(Read(With("Transfer-Encoding: gzip, chunked\r\n", chunk) + kGet), ElementsAre("501"));
  EXPECT_THAT(Read(With("Transfer-Encoding: identity\r\n") + kGet), ElementsAre("501"));
  EXPECT_THAT(Read(With("Transfer-Encoding: chunked, chunked\r\n", chunk) + kGet), ElementsAre("501"));
  EXPECT_THAT(Read("GET / HTTP/2.0\r\nHost: a\r\n\r\n" + kGet), ElementsAre("505"));
  EXPECT_THAT(Read(With("Expect: a-miracle\r\n") + kGet), ElementsAre("417"));
}

TEST(RequestReader, RefusesMalformedChunks) {
  for (const char* body :
       {"x\r\n", "-1\r\n", "0x3\r\nabc\r\n0\r\n\r\n", " 3\r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "3;\na\r\nabc\r\n0\r\n\r\n",
        "10000000000000000\r\nabc", "3 \r\nabc\r\n0\r\n\r\n", "\r\n3\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc\r\n0\r\nTrailer\r\n\r\n", "3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n"}) {
    EXPECT_THAT(Read(With("Transfer-Encoding: chunked\r\n", body) + kGet), ElementsAre("POST /x invalid argument"))
        << body;
  }
  const std::string long_line = "3;" + std::string(20'000, 'a') + "\r\nabc\r\n0\r\n\r\n";
  EXPECT_THAT(Read(With("Transfer-Encoding: chunked\r\n", long_line)), ElementsAre("POST /x invalid argument"));
}

TEST(RequestReader, NoticesThatTheClientHasGone) {
  EXPECT_THAT(Read(""), ElementsAre());
  EXPECT_THAT(Read("GET / HT"), ElementsAre("499"));
  EXPECT_THAT(Read(With("Content-Length: 5\r\n", "hell")), ElementsAre("POST /x cancelled"));
  EXPECT_THAT(Read(With("Transfer-Encoding: chunked\r\n", "3\r\nab")), ElementsAre("POST /x cancelled"));
}

TEST(RequestReader, HoldsItsLimitsExactly) {
  ReadLimits limits;
  limits.target_bytes = 10;
  limits.fields = 3;
  EXPECT_THAT(Read("GET /123456789 HTTP/1.1\r\nHost: a\r\n\r\n", limits), ElementsAre("GET /123456789"));
  EXPECT_THAT(Read("GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n", limits), ElementsAre("414"));
  EXPECT_THAT(Read("GET /" + std::string(100'000, 'a'), limits), ElementsAre("414"));
  EXPECT_THAT(Read(With("A: 1\r\nB: 2\r\n"), limits), ElementsAre("POST /x"));
  EXPECT_THAT(Read(With("A: 1\r\nB: 2\r\nC: 3\r\n"), limits), ElementsAre("431"));

  limits = {};
  const std::string head = With("A: " + std::string(100, 'a') + "\r\n");
  limits.head_bytes = head.size();
  EXPECT_THAT(Read(head, limits), ElementsAre("POST /x"));
  limits.head_bytes = head.size() - 1;
  EXPECT_THAT(Read(head, limits), ElementsAre("431"));
  EXPECT_THAT(Read("GET / HTTP/1.1\r\nA: " + std::string(100'000, 'a')), ElementsAre("431"));

  limits = {};
  limits.body_bytes = 5;
  EXPECT_THAT(Read(With("Content-Length: 5\r\n", "hello"), limits), ElementsAre("POST /x hello"));
  EXPECT_THAT(Read(With("Content-Length: 6\r\n", "hello!"), limits), ElementsAre("POST /x resource exhausted"));
  EXPECT_THAT(Read(With("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), limits),
              ElementsAre("POST /x hello"));
  EXPECT_THAT(Read(With("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"), limits),
              ElementsAre("POST /x resource exhausted"));
}

TEST(ReadAll, IsBounded) {
  MemoryBody exact("hello", 2);
  EXPECT_EQ(RunToCompletion(ReadAll(exact, 5)), "hello");
  MemoryBody longer("hello!", 4);
  EXPECT_EQ(RunToCompletion(ReadAll(longer, 5)).error().code, ErrorCode::kResourceExhausted);
  MemoryBody large(std::string(100'000, 'x'));
  EXPECT_EQ(RunToCompletion(ReadAll(large, 1 << 20)).value().size(), 100'000u);
}

}  // namespace
}  // namespace bothy::net
