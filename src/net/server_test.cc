#include "net/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <mutex>
#include <semaphore>
#include <thread>

#include "base/testing.h"
#include "net/executor.h"
#include "net/raw_client.h"

namespace bothy::net {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
std::string Post(const std::string& path, const std::string& fields, const std::string& body = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

// A server with a handler for each behaviour.
class ServerTest : public ::testing::Test {
 protected:
  void Start(ServerOptions options = {}) {
    options.listen = {"127.0.0.1:0"};
    options.access_log = [this](const AccessRecord& record) {
      const std::lock_guard lock(mutex_);
      log_.push_back(
          fmt::format("{} {} {}{}", record.method, record.path, Number(record.status), record.complete ? "" : " cut"));
    };
    auto started = Server::Start(std::move(options), [this](Request& request) { return Handle(request); });
    ASSERT_OK(started);
    server_ = *std::move(started);
  }

  RawClient Client() { return RawClient(server_->port()); }

  Task<Response> Handle(Request& request) {
    if (request.path == "/echo") {
      auto body = co_await ReadAll(*request.body, 1 << 20);
      if (!body) co_return Response::FromError(body.error());
      co_return Response::Text(Status::kOk, *std::move(body));
    }
    if (request.path == "/limit5") {
      request.body->SetLimit(5);
      auto body = co_await ReadAll(*request.body, 1 << 20);
      if (!body) co_return Response::FromError(body.error());
      co_return Response::Text(Status::kOk, *std::move(body));
    }
    if (request.path == "/file") {
      const auto file = FileHandle::Open(file_);
      if (!file) co_return Response::FromError(file.error());
      const Content content{
          "application/octet-stream", {"\"tag\"", 784111777}, {{*file, 6, 5}, {*file, 0, 6}, {*file, 11, 0}}};
      co_return ServeContent(request, content);
    }
    if (request.path == "/written" || request.path == "/written-in-chunks") {
      const auto file = FileHandle::Open(file_);
      if (!file) co_return Response::FromError(file.error());
      const auto part = [file = *file](ByteRange range) -> Response::WriteFunction {
        return [file, range](BodyWriter& body) -> Task<Result<void>> {
          // Two bytes of text, and the file behind them.
          const uint64_t text = range.first < 2 ? std::min(2 - range.first, range.length) : 0;
          auto first = co_await body.Write(std::string_view("> ").substr(std::min<size_t>(2, range.first), text));
          CO_TRY(first);
          co_return co_await body.WriteFile({file, range.first + text - 2, range.length - text});
        };
      };
      if (request.path == "/written") {
        co_return ServeContent(request, WrittenContent{"text/plain", {"\"tag\"", {}}, 13, part});
      }
      co_return Response::Stream(Status::kOk, "text/plain", part({0, 13}));
    }
    if (request.path == "/large") {
      const auto file = FileHandle::Open(file_);
      if (!file) co_return Response::FromError(file.error());
      co_return Response::Files(Status::kOk, "application/octet-stream", {{*file, 0, (*file)->Size().value_or(0)}});
    }
    if (request.path == "/short") {
      const auto file = FileHandle::Open(file_);
      if (!file) co_return Response::FromError(file.error());
      co_return Response::Files(Status::kOk, "application/octet-stream", {{*file, 0, 1000}});
    }
    if (request.path == "/stream") {
      co_return Response::Stream(Status::kOk, "text/plain", [](BodyWriter& body) -> Task<Result<void>> {
        auto first = co_await body.Write("one ");
        CO_TRY(first);
        co_return co_await body.Write(std::string(100'000, 'x'));
      });
    }
    if (request.path == "/broken") {
      co_return Response::Stream(Status::kOk, "text/plain", [](BodyWriter& body) -> Task<Result<void>> {
        auto first = co_await body.Write("one ");
        CO_TRY(first);
        co_return Fail(ErrorCode::kInternal, "the source has gone");
      });
    }
    if (request.path == "/events") {
      co_return Response::Events([](EventWriter& events) -> Task<Result<void>> {
        auto first = co_await events.Send("line 1\nline 2", "note", "7");
        CO_TRY(first);
        auto second = co_await events.KeepAlive();
        CO_TRY(second);
        co_return co_await events.Send("[DONE]");
      });
    }
    if (request.path == "/endless") {
      co_return Response::Stream(Status::kOk, "text/plain", [this](BodyWriter& body) -> Task<Result<void>> {
        const std::string piece(64 << 10, 'x');
        for (;;) {
          auto written = co_await body.Write(piece);
          if (!written) writing_ended_.set_value(written.error().code);
          CO_TRY(written);
        }
      });
    }
    if (request.path == "/wait-until-gone") {
      handling_.release();
      auto gone = co_await RunBlocking(workers_, [token = request.gone] {
        std::binary_semaphore stopped(0);
        const std::stop_callback callback(token, [&] { stopped.release(); });
        stopped.acquire();
      });
      gone_.release();
      co_return Response(Status::kOk);
    }
    if (request.path == "/wait-until-let") {
      handling_.release();
      co_await RunBlocking(workers_, [this] { let_.acquire(); });
      co_return Response::Text(Status::kOk, "let");
    }
    if (request.path == "/ignore") co_return Response::Text(Status::kOk, "ignored");
    if (request.path == "/view") {
      co_return Response::Text(Status::kOk, request.remote + " " + request.base_url + " " + request.id);
    }
    co_return Response::Text(Status::kOk,
                             std::string(MethodName(request.method)) + " " + request.path + "?" + request.query);
  }

  std::vector<std::string> Log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }

  void WriteFile(const std::string& content) {
    file_ = folder_.path() / "file";
    std::ofstream(file_) << content;
  }

  TemporaryFolder folder_;
  std::filesystem::path file_;
  std::mutex mutex_;
  std::vector<std::string> log_;
  std::counting_semaphore<100> handling_{0};
  std::counting_semaphore<100> gone_{0};
  std::counting_semaphore<100> let_{0};
  std::promise<ErrorCode> writing_ended_;
  WorkerPool workers_{4, 100};
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersOneRequestAfterTheOther) {
  Start();
  auto client = Client();
  const auto first = client.Get("/a%2Fb?c=d");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "GET /a%2Fb?c=d");
  EXPECT_TRUE(first.Has("\r\nDate: "));
  EXPECT_TRUE(first.Has("\r\nContent-Length: 14\r\n"));
  EXPECT_FALSE(first.Has("Connection:"));
  EXPECT_EQ(client.Ask(Post("/echo", "Content-Length: 5\r\n", "hello")).body, "hello");
  EXPECT_EQ(client.Ask(Post("/echo", "Transfer-Encoding: chunked\r\n", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")).body,
            "hello");
  EXPECT_EQ(client.Ask(Post("/", "Connection: close\r\n")).status, 200);
  EXPECT_TRUE(client.AtEnd());
  EXPECT_THAT(Log(), testing::ElementsAre("GET /a%2Fb 200", "POST /echo 200", "POST /echo 200", "POST / 200"));
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  auto client = Client();
  client.Send(kGet + Post("/echo", "Content-Length: 5\r\n", "hello") +
              "GET /third HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + kGet);
  EXPECT_EQ(client.Read().body, "GET /?");
  EXPECT_EQ(client.Read().body, "hello");
  EXPECT_EQ(client.Read().body, "GET /third?");
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ServerTest, HeadHasNoBody) {
  Start();
  auto client = Client();
  client.Send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + kGet);
  EXPECT_TRUE(client.Read(true).Has("Content-Length: 8\r\n"));
  EXPECT_EQ(client.Read().body, "GET /?");
}

TEST_F(ServerTest, Http10EndsUnlessAskedNotTo) {
  Start();
  {
    auto client = Client();
    EXPECT_TRUE(client.Ask("GET / HTTP/1.0\r\n\r\n").Has("Connection: close\r\n"));
    EXPECT_TRUE(client.AtEnd());
  }
  auto client = Client();
  EXPECT_TRUE(client.Ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").Has("Connection: keep-alive\r\n"));
  const auto stream = client.Ask("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_FALSE(stream.Has("Transfer-Encoding"));
  EXPECT_EQ(stream.body.size(), 100'004u);  // up to the end of the connection
}

TEST_F(ServerTest, RefusesMalformedRequestsAndEndsTheConnection) {
  Start();
  auto client = Client();
  const auto refused =
      client.Ask(Post("/echo", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") + kGet);
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(refused.Has("Connection: close\r\n"));
  EXPECT_THAT(refused.body, StartsWith("{\"error\":\""));
  EXPECT_TRUE(client.AtEnd());
  auto other = Client();
  EXPECT_EQ(other.Ask("BREW / HTTP/1.1\r\nHost: a\r\n\r\n").status, 501);
}

TEST_F(ServerTest, AMalformedBodyIsTheHandlersErrorAndEndsTheConnection) {
  Start();
  auto client = Client();
  EXPECT_EQ(client.Ask(Post("/echo", "Transfer-Encoding: chunked\r\n", "x\r\n") + kGet).status, 400);
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ServerTest, SaysContinueOnlyWhenTheHandlerReads) {
  Start();
  auto client = Client();
  client.Send(Post("/echo", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.Read().status, 100);
  EXPECT_EQ(client.Ask("hello").body, "hello");
  // Not read: whether the body comes is unknown, so the connection ends.
  const auto ignored = client.Ask(Post("/ignore", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(ignored.body, "ignored");
  EXPECT_TRUE(ignored.Has("Connection: close\r\n"));
}

TEST_F(ServerTest, SaysNoContinueForABodyThatIsTooLong) {
  Start();
  auto client = Client();
  EXPECT_EQ(client.Ask(Post("/limit5", "Content-Length: 6\r\nExpect: 100-continue\r\n")).status, 413);
}

TEST_F(ServerTest, SkipsASmallBodyThatNobodyRead) {
  Start();
  auto client = Client();
  EXPECT_EQ(client.Ask(Post("/ignore", "Content-Length: 5\r\n", "hello")).body, "ignored");
  EXPECT_EQ(client.Get("/").body, "GET /?");
}

TEST_F(ServerTest, AnswersWhileALargeBodyStillComes) {
  Start();
  auto client = Client();
  client.Send(Post("/limit5", "Content-Length: 50000000\r\n"));
  // More than all buffers hold: the client must be able to send it, and to read the answer afterwards.
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 20; i++) client.Send(piece);
  client.EndWriting();
  const auto refused = client.Read();
  EXPECT_EQ(refused.status, 413);
  EXPECT_TRUE(refused.Has("Connection: close\r\n"));
}

TEST_F(ServerTest, HoldsBodyLimitsExactly) {
  Start();
  auto client = Client();
  EXPECT_EQ(client.Ask(Post("/limit5", "Content-Length: 5\r\n", "hello")).body, "hello");
  EXPECT_EQ(client.Ask(Post("/limit5", "Transfer-Encoding: chunked\r\n", "6\r\nhello!\r\n0\r\n\r\n")).status, 413);
}

TEST_F(ServerTest, SendsFilesInWholeAndInPart) {
  WriteFile("hello world");
  Start();
  auto client = Client();
  const auto whole = client.Get("/file");
  EXPECT_EQ(whole.body, "worldhello ");
  EXPECT_TRUE(whole.Has("ETag: \"tag\"\r\n"));
  EXPECT_TRUE(whole.Has("Accept-Ranges: bytes\r\n"));
  EXPECT_TRUE(whole.Has("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  const auto ask = [&](const std::string& fields) {
    return client.Ask("GET /file HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
  };
  const auto part = ask("Range: bytes=3-6\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "ldhe");
  EXPECT_TRUE(part.Has("Content-Range: bytes 3-6/11\r\n"));
  EXPECT_TRUE(part.Has("Content-Length: 4\r\n"));
  const auto past = ask("Range: bytes=11-\r\n");
  EXPECT_EQ(past.status, 416);
  EXPECT_TRUE(past.Has("Content-Range: bytes */11\r\n"));
  EXPECT_EQ(ask("If-None-Match: \"tag\"\r\n").status, 304);
  EXPECT_EQ(ask("If-Match: \"other\"\r\n").status, 412);
  EXPECT_EQ(ask("Range: bytes=0-0\r\nIf-Range: \"other\"\r\n").body, "worldhello ");
  client.Send("HEAD /file HTTP/1.1\r\nHost: a\r\nRange: bytes=0-0\r\n\r\n");
  EXPECT_TRUE(client.Read(true).Has("Content-Length: 11\r\n"));
}

TEST_F(ServerTest, SendsFilesAmongWhatAFunctionWrites) {
  WriteFile("hello world");
  Start();
  auto client = Client();
  const auto whole = client.Get("/written");
  EXPECT_EQ(whole.body, "> hello world");
  EXPECT_TRUE(whole.Has("Content-Length: 13\r\n"));
  EXPECT_TRUE(whole.Has("ETag: \"tag\"\r\n"));
  const auto part = client.Ask("GET /written HTTP/1.1\r\nHost: a\r\nRange: bytes=1-4\r\n\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, " hel");
  EXPECT_TRUE(part.Has("Content-Range: bytes 1-4/13\r\n"));
  EXPECT_EQ(client.Ask("GET /written HTTP/1.1\r\nHost: a\r\nRange: bytes=-5\r\n\r\n").body, "world");
  client.Send("HEAD /written HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.Read(true).Has("Content-Length: 13\r\n"));
  const auto chunks = client.Get("/written-in-chunks");
  EXPECT_TRUE(chunks.Has("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(chunks.body, "> hello world");
}

TEST_F(ServerTest, CutsAResponseWhoseFileEndsEarly) {
  WriteFile("hello world");
  Start();
  auto client = Client();
  EXPECT_EQ(client.Get("/short").body, "hello world");
  EXPECT_TRUE(client.AtEnd());
  EXPECT_EQ(Client().Get("/").status, 200);
  EXPECT_THAT(Log(), testing::Contains("GET /short 200 cut"));
}

TEST_F(ServerTest, StreamsWhatHasNoLength) {
  Start();
  auto client = Client();
  const auto stream = client.Get("/stream");
  EXPECT_TRUE(stream.Has("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(stream.body, "one " + std::string(100'000, 'x'));
  client.Send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" + kGet);
  EXPECT_TRUE(client.Read(true).Has("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(ServerTest, CutsAStreamThatFails) {
  Start();
  auto client = Client();
  client.Send("GET /broken HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), testing::EndsWith("\r\n\r\n4\r\none \r\n"));  // no last chunk
}

// The form of the HTML standard, 9.2.6.
TEST_F(ServerTest, SendsEvents) {
  Start();
  const auto events = Client().Get("/events");
  EXPECT_TRUE(events.Has("Content-Type: text/event-stream\r\n"));
  EXPECT_EQ(events.body, "event: note\nid: 7\ndata: line 1\ndata: line 2\n\n: keep-alive\n\ndata: [DONE]\n\n");
}

TEST_F(ServerTest, TellsTheHandlerThatTheClientHasGone) {
  Start();
  auto client = Client();
  client.Send("GET /wait-until-gone HTTP/1.1\r\nHost: a\r\n\r\n");
  handling_.acquire();
  client.Close();
  gone_.acquire();
}

TEST_F(ServerTest, AWriterIsToldThatTheClientHasGone) {
  Start();
  auto client = Client();
  client.Send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
  client.ReadExactly(100'000);
  client.Close();
  EXPECT_EQ(writing_ended_.get_future().get(), ErrorCode::kCancelled);
}

TEST_F(ServerTest, AClientThatTakesNothingIsCut) {
  ServerOptions options;
  options.write_stall = milliseconds(200);
  Start(std::move(options));
  RawClient client(server_->port(), 4096);
  client.Send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(writing_ended_.get_future().get(), ErrorCode::kUnavailable);
}

TEST_F(ServerTest, AClientThatOnlyEndsItsSideGetsItsAnswer) {
  Start();
  auto client = Client();
  client.Send(kGet);
  client.EndWriting();
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ServerTest, SlowHeadsBodiesAndIdleConnectionsEnd) {
  ServerOptions options;
  options.limits.head_time = milliseconds(200);
  options.limits.body_time = milliseconds(200);
  options.limits.idle_time = milliseconds(200);
  Start(std::move(options));
  auto idle = Client();
  auto head = Client();
  auto body = Client();
  head.Send("GET / HT");
  body.Send(Post("/echo", "Content-Length: 5\r\n", "hell"));
  EXPECT_EQ(head.Read().status, 408);
  EXPECT_EQ(body.Read().status, 503);
  EXPECT_TRUE(idle.AtEnd());
}

TEST_F(ServerTest, BeyondTheConnectionsThatItTakesItSaysSo) {
  ServerOptions options;
  options.max_connections = 2;
  Start(std::move(options));
  auto first = Client();
  auto second = Client();
  EXPECT_EQ(first.Get("/").status, 200);
  EXPECT_EQ(second.Get("/").status, 200);
  auto third = Client();
  const auto refused = third.Get("/");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body.size(), 62u);
  EXPECT_TRUE(refused.Has("Retry-After: 5\r\n"));
  EXPECT_EQ(first.Get("/").status, 200);
}

TEST_F(ServerTest, StopLetsRequestsFinishAndEndsIdleConnections) {
  Start();
  auto idle = Client();
  EXPECT_EQ(idle.Get("/").status, 200);
  auto busy = Client();
  busy.Send("GET /wait-until-let HTTP/1.1\r\nHost: a\r\n\r\n");
  handling_.acquire();
  std::thread stopper([&] { server_->Stop(std::chrono::hours(1)); });
  EXPECT_TRUE(idle.AtEnd());  // Stop has begun
  let_.release();
  const auto answer = busy.Read();
  EXPECT_EQ(answer.body, "let");
  EXPECT_TRUE(answer.Has("Connection: close\r\n"));
  stopper.join();
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(ServerTest, StopCutsWhatDoesNotFinish) {
  Start();
  auto waiting = Client();
  waiting.Send("GET /wait-until-gone HTTP/1.1\r\nHost: a\r\n\r\n");
  handling_.acquire();
  auto endless = Client();
  endless.Send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
  endless.ReadExactly(1000);
  server_->Stop(milliseconds(0));
  gone_.acquire();
  EXPECT_EQ(writing_ended_.get_future().get(), ErrorCode::kCancelled);
}

TEST_F(ServerTest, KnowsTheClientsViewOfItself) {
  ServerOptions options;
  options.client_view.trusted_proxies = {IpNetwork::Parse("127.0.0.0/8").value()};
  Start(std::move(options));
  auto client = Client();
  EXPECT_EQ(client.Ask("GET /view HTTP/1.1\r\nHost: hub:1\r\nX-Request-Id: abc-1\r\n\r\n").body,
            "127.0.0.1 http://hub:1 abc-1");
  const auto forwarded = client.Ask(
      "GET /view HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 10.0.0.9\r\nX-Forwarded-Proto: https\r\n"
      "X-Forwarded-Host: hub.example\r\nX-Amzn-Trace-Id: x\r\n\r\n");
  EXPECT_EQ(forwarded.body, "10.0.0.9 https://hub.example x");
  EXPECT_TRUE(forwarded.Has("X-Request-Id: x\r\n"));
  EXPECT_THAT(client.Ask("GET /view HTTP/1.0\r\nX-Request-Id: a b\r\n\r\n").body,
              testing::ContainsRegex("^127.0.0.1 http://127.0.0.1:[0-9]+ [0-9a-f]{32}$"));
}

TEST_F(ServerTest, ManyClientsAtOnceGetTheirOwnAnswers) {
  Start();
  std::vector<std::thread> clients;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; i++) {
    clients.emplace_back([&, i] {
      auto client = Client();
      for (int j = 0; j < 100; j++) {
        const std::string path = fmt::format("/{}/{}", i, j);
        if (client.Get(path).body == "GET " + path + "?") good++;
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(good, 800);
}

TEST(Server, TellsTheAccessLogWhatBecameOfARequest) {
  std::promise<std::string> first, second;
  std::atomic<int> count = 0;
  ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.access_log = [&](const AccessRecord& record) {
    (count++ == 0 ? first : second)
        .set_value(fmt::format("{} {} {} {} {} in {} out {} for {}", record.method, record.path, record.route,
                               Number(record.status), record.request_id, record.bytes_in, record.bytes_out,
                               record.actor));
  };
  const auto server = Server::Start(options, [](Request& request) -> Task<Response> {
    request.route = "/{path...}";
    request.actor = "ann";
    auto body = co_await ReadAll(*request.body, 10);
    co_return Response::Text(Status::kOk, *std::move(body));
  });
  ASSERT_OK(server);
  RawClient client((*server)->port());
  const std::string request =
      "POST /a%2Fb?token=x HTTP/1.1\r\nHost: a\r\nX-Request-Id: i\r\nContent-Length: 5\r\n\r\nhello";
  client.Send(request + "NO\r\n\r\n");  // what is behind it does not count
  const auto answer = client.Read();
  EXPECT_EQ(first.get_future().get(), fmt::format("POST /a%2Fb /{{path...}} 200 i in {} out {} for ann", request.size(),
                                                  answer.head.size() + answer.body.size()));
  const auto refused = client.Read();
  const size_t id = refused.head.find("X-Request-Id: ");
  ASSERT_NE(id, std::string::npos);
  EXPECT_EQ(second.get_future().get(), fmt::format("   400 {} in 0 out {} for ", refused.head.substr(id + 14, 32),
                                                   refused.head.size() + refused.body.size()));
}

TEST(Server, SaysWhyItCannotStart) {
  const auto handler = [](Request&) -> Task<Response> { co_return Response(); };
  ServerOptions options;
  options.listen = {"nowhere"};
  EXPECT_EQ(Server::Start(options, handler).error().code, ErrorCode::kInvalidArgument);
  options.listen = {"127.0.0.1:0"};
  const auto first = Server::Start(options, handler);
  ASSERT_OK(first);
  options.listen = {fmt::format("127.0.0.1:{}", (*first)->port())};
  EXPECT_THAT(Server::Start(options, handler).error().message, HasSubstr("Address already in use"));
}

TEST(Server, ListensAtSeveralAddresses) {
  ServerOptions options;
  options.listen = {"127.0.0.1:0", "[::1]:0"};
  const auto server =
      Server::Start(options, [](Request&) -> Task<Response> { co_return Response::Text(Status::kOk, "x"); });
  ASSERT_OK(server);
  EXPECT_THAT((*server)->addresses(),
              testing::ElementsAre(StartsWith("http://127.0.0.1:"), StartsWith("http://[::1]:")));
  EXPECT_EQ(RawClient((*server)->port()).Get("/").body, "x");
}

}  // namespace
}  // namespace bothy::net
