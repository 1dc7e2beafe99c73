// Between a worker that blocks and a client, through a server with one network thread.
#include "net/blocking_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <future>
#include <mutex>

#include "base/testing.h"
#include "net/raw_client.h"
#include "net/server.h"

namespace bothy::net {
namespace {

using ::testing::EndsWith;

std::string Pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; i++) text[i] = static_cast<char>(i * 131 >> 7);
  return text;
}

std::string Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string Post(size_t length) {
  return fmt::format("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", length);
}

class BlockingBodyTest : public ::testing::Test {
 protected:
  void Serve(Handler handler) {
    ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    options.network_threads = 1;
    options.limits.body_bytes = 8 << 20;
    auto started = Server::Start(std::move(options), std::move(handler));
    ASSERT_OK(started);
    server_ = *std::move(started);
  }
  // Answers with how much came, and keeps it.
  void ServeTaking() {
    Serve([this](Request& request) -> Task<Response> {
      auto taken = co_await TakeBlocking(*request.body, workers_, [this](std::span<const std::byte> bytes) {
        const std::lock_guard lock(mutex_);
        taken_ += Text(bytes);
        return Result<void>();
      });
      if (!taken) co_return Response::FromError(taken.error());
      co_return Response::Text(Status::kOk, fmt::format("{}", *taken));
    });
  }
  RawClient Client() { return RawClient(server_->port()); }

  std::mutex mutex_;
  std::string taken_;
  WorkerPool workers_{1, 10};
  std::unique_ptr<Server> server_;
};

TEST_F(BlockingBodyTest, AWorkerReadsAndWritesWhatItLikes) {
  Serve([this](Request& request) -> Task<Response> {
    BodyReader& body = *request.body;
    co_return Response::Stream(Status::kOk, "text/plain", [this, &body](BodyWriter& out) -> Task<Result<void>> {
      BlockingReader reader(body);
      BlockingWriter writer(out);
      co_return co_await RunBlocking(workers_, [&]() -> Result<void> {
        std::vector<std::byte> piece(10'000);
        for (;;) {
          const size_t size = TRY(reader.Read(piece));
          if (size == 0) return {};
          TRY(writer.Write(std::span(piece).first(size)));
        }
      });
    });
  });
  auto client = Client();
  const std::string content = Pattern(300'000);
  EXPECT_EQ(client.Ask(Post(content.size()) + content).body, content);
  EXPECT_EQ(Client()
                .Ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
                .body,
            "hello");
}

TEST_F(BlockingBodyTest, AWorkerIsToldThatTheClientHasGone) {
  std::promise<ErrorCode> reading, writing;
  Serve([&](Request& request) -> Task<Response> {
    if (request.method == Method::kPost) {
      BlockingReader reader(*request.body);
      co_await RunBlocking(workers_, [&] {
        std::byte piece[1000];
        auto read = reader.Read(piece);
        while (read && *read > 0) read = reader.Read(piece);
        reading.set_value(read ? ErrorCode::kInternal : read.error().code);
      });
      co_return Response();
    }
    co_return Response::Stream(Status::kOk, "text/plain", [&](BodyWriter& body) -> Task<Result<void>> {
      BlockingWriter writer(body);
      co_return co_await RunBlocking(workers_, [&]() -> Result<void> {
        auto written = writer.Write("x");
        while (written) written = writer.Write(std::string(100'000, 'x'));
        writing.set_value(written.error().code);
        return written;
      });
    });
  });
  auto sender = Client();
  sender.Send(Post(10) + "hello");
  sender.Close();
  EXPECT_EQ(reading.get_future().get(), ErrorCode::kCancelled);
  auto receiver = Client();
  receiver.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  receiver.ReadExactly(1'000'000);
  receiver.Close();
  EXPECT_EQ(writing.get_future().get(), ErrorCode::kCancelled);
}

TEST_F(BlockingBodyTest, TakesAllInOrder) {
  ServeTaking();
  auto client = Client();
  const std::string content = Pattern(3 * kBlockingPiece + 1);
  EXPECT_EQ(client.Ask(Post(content.size()) + content).body, fmt::format("{}", content.size()));
  EXPECT_EQ(client.Ask(Post(0)).body, "0");
  EXPECT_EQ(taken_, content);
}

TEST_F(BlockingBodyTest, ASlowClientHoldsNoWorker) {
  ServeTaking();
  auto slow = Client();
  slow.Send(Post(2 * kBlockingPiece) + Pattern(kBlockingPiece + 1));
  auto swift = Client();  // the pool has one worker
  EXPECT_EQ(swift.Ask(Post(5) + "hello").body, "5");
  EXPECT_EQ(slow.Ask(Pattern(kBlockingPiece - 1)).body, fmt::format("{}", 2 * kBlockingPiece));
}

TEST_F(BlockingBodyTest, EndsWithTheFirstError) {
  int calls = 0;
  Serve([&](Request& request) -> Task<Response> {
    request.body->SetLimit(3 * kBlockingPiece);
    auto taken = co_await TakeBlocking(*request.body, workers_, [&](std::span<const std::byte>) -> Result<void> {
      calls++;
      return Fail(ErrorCode::kCorrupt, "not what it should be");
    });
    co_return Response::FromError(taken.error());
  });
  const std::string content = Pattern(3 * kBlockingPiece);
  EXPECT_EQ(Client().Ask(Post(content.size()) + content).status, 422);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(Client().Ask(Post(content.size() + 1)).status, 413);
  EXPECT_EQ(calls, 1);
}

TEST_F(BlockingBodyTest, AFullQueueIs503) {
  WorkerPool none(0, 0);
  Serve([&](Request& request) -> Task<Response> {
    auto taken = co_await TakeBlocking(*request.body, none, [](std::span<const std::byte>) { return Result<void>(); });
    if (!taken) co_return Response::FromError(taken.error());
    co_return Response();
  });
  EXPECT_EQ(Client().Ask(Post(5) + "hello").status, 503);
}

TEST_F(BlockingBodyTest, GivesAllInOrder) {
  const std::string content = Pattern(3 * kBlockingPiece + 1);
  Serve([&](Request& request) -> Task<Response> {
    const auto give = [&content, position = size_t{0}](std::span<std::byte> out) mutable -> Result<size_t> {
      const size_t size = std::min(out.size(), content.size() - position);
      std::memcpy(out.data(), content.data() + position, size);
      position += size;
      return size;
    };
    const bool known = request.path == "/known";
    co_return Response::Stream(Status::kOk, "text/plain", GiveBlocking(workers_, give),
                               known ? std::optional<uint64_t>(content.size()) : std::nullopt);
  });
  auto client = Client();
  EXPECT_EQ(client.Get("/").body, content);
  const auto known = client.Get("/known");
  EXPECT_TRUE(known.Has(fmt::format("Content-Length: {}\r\n", content.size())));
  EXPECT_EQ(known.body, content);
}

TEST_F(BlockingBodyTest, CutsWhatCannotBeGiven) {
  Serve([&](Request&) -> Task<Response> {
    co_return Response::Stream(Status::kOk, "text/plain",
                               GiveBlocking(workers_, [calls = 0](std::span<std::byte> out) mutable -> Result<size_t> {
                                 if (calls++ > 0) return Fail(ErrorCode::kInternal, "the source has gone");
                                 out[0] = std::byte{'x'};
                                 return 1;
                               }));
  });
  auto client = Client();
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), EndsWith("\r\n\r\n1\r\nx\r\n"));  // no last chunk
}

}  // namespace
}  // namespace bothy::net
