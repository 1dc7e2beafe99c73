// The client, against the server: plain and by TLS.
#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/testing.h"
#include "net/executor.h"
#include "net/raw_client.h"
#include "net/server.h"
#include "net/test_certificate.h"

namespace bothy::net {
namespace {

using ::testing::Optional;

std::string Pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; i++) text[i] = static_cast<char>(i * 131 >> 7);
  return text;
}

// Content that is made while it is read.
class PatternBody final : public BodyReader {
 public:
  explicit PatternBody(size_t size, bool fails = false) : left_(size), fails_(fails) {}
  Task<Result<size_t>> Read(std::span<std::byte> out) override {
    if (left_ == 0 && fails_) co_return Fail(ErrorCode::kCorrupt, "the source is bad");
    const size_t count = std::min(out.size(), left_);
    std::ranges::fill(out.first(count), std::byte{'p'});
    left_ -= count;
    co_return count;
  }

 private:
  size_t left_;
  bool fails_;
};

class HttpClientTest : public ::testing::Test {
 protected:
  void Start(ServerOptions options = {}) {
    options.listen = {"127.0.0.1:0"};
    auto started = Server::Start(std::move(options), [this](Request& request) { return Handle(request); });
    ASSERT_OK(started);
    server_ = *std::move(started);
    address_ = server_->addresses().front();
  }

  Task<Response> Handle(Request& request) {
    if (request.path == "/echo") {
      auto body = co_await ReadAll(*request.body, 1 << 20);
      if (!body) co_return Response::FromError(body.error());
      co_return Response::Text(Status::kOk, std::string(MethodName(request.method)) + " " + *body)
          .With("X-Length", request.body->length() ? std::to_string(*request.body->length()) : "unknown");
    }
    if (request.path == "/count") {
      request.body->SetLimit(UINT64_MAX);
      std::vector<std::byte> piece(64 << 10);
      size_t total = 0;
      for (;;) {
        auto read = co_await request.body->Read(piece);
        if (!read) co_return Response::FromError(read.error());
        if (*read == 0) break;
        total += *read;
      }
      co_return Response::Text(Status::kOk, std::to_string(total));
    }
    if (request.path == "/pattern") {
      const auto file = FileHandle::Open(folder_.path() / "pattern");
      if (!file) co_return Response::FromError(file.error());
      const Content content{"application/octet-stream", {"\"p\"", {}}, {{*file, 0, (*file)->Size().value_or(0)}}};
      co_return ServeContent(request, content);
    }
    if (request.path == "/redirect") co_return Response::Redirect(Status::kTemporaryRedirect, "/echo");
    if (request.path == "/loop") co_return Response::Redirect(Status::kFound, "/loop");
    if (request.path == "/broken") {
      co_return Response::Stream(Status::kOk, "text/plain", [](BodyWriter& body) -> Task<Result<void>> {
        auto written = co_await body.Write("some");
        CO_TRY(written);
        co_return Fail(ErrorCode::kInternal, "gone");
      });
    }
    co_return Response::FromError(Status::kNotFound, "nothing");
  }

  // The answer with its whole body.
  struct Answer {
    int status = 0;
    Headers headers;
    std::string url;
    std::string body;
  };
  Result<Answer> Ask(ClientRequest request) {
    if (request.url.starts_with('/')) request.url.insert(0, address_);
    auto response = TRY(RunToCompletion(client_->Send(std::move(request))));
    std::string body = TRY(RunToCompletion(ReadAll(response, 100 << 20)));
    return Answer{Number(response.status), response.headers, response.url, std::move(body)};
  }

  void WritePattern(size_t size) { std::ofstream(folder_.path() / "pattern") << Pattern(size); }

  TemporaryFolder folder_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<HttpClient> client_ = std::make_unique<HttpClient>();
  std::string address_;
};

TEST_F(HttpClientTest, SendsAndReceives) {
  Start();
  const auto answer = Ask({.method = Method::kPut, .url = "/echo", .headers = {{"X-A", "b"}}, .body = "hello"});
  ASSERT_OK(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "PUT hello");
  EXPECT_THAT(answer->headers.Find("x-length"), Optional(std::string_view("5")));
  EXPECT_EQ(Ask({.url = "/none"}).value().status, 404);
  EXPECT_EQ(Ask({.method = Method::kHead, .url = "/echo"}).value().body, "");
  EXPECT_EQ(Ask({.method = Method::kDelete, .url = "/echo"}).value().body, "DELETE ");
  EXPECT_EQ(Ask({.method = Method::kPost, .url = "/echo"}).value().body, "POST ");
}

TEST_F(HttpClientTest, StreamsUploads) {
  Start();
  PatternBody known(10 << 20);
  EXPECT_EQ(Ask({.method = Method::kPut, .url = "/count", .upload = &known, .upload_length = 10 << 20}).value().body,
            "10485760");
  PatternBody unknown(3 << 20);
  EXPECT_EQ(Ask({.method = Method::kPost, .url = "/count", .upload = &unknown}).value().body, "3145728");
  PatternBody failing(1000, true);
  EXPECT_EQ(Ask({.method = Method::kPost, .url = "/count", .upload = &failing}).error().message, "the source is bad");
}

TEST_F(HttpClientTest, StreamsDownloadsAndParts) {
  WritePattern(20 << 20);
  Start();
  EXPECT_EQ(Ask({.url = "/pattern"}).value().body, Pattern(20 << 20));
  const auto part = Ask({.url = "/pattern", .headers = {{"Range", "bytes=5-14"}}}).value();
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, Pattern(15).substr(5));
}

TEST_F(HttpClientTest, AnAnswerMayBeLeftInTheMiddle) {
  WritePattern(20 << 20);
  Start();
  for (int i = 0; i < 3; i++) {
    auto response = RunToCompletion(client_->Send({.url = address_ + "/pattern"}));
    ASSERT_OK(response);
    std::vector<std::byte> piece(1000);
    EXPECT_EQ(RunToCompletion(response->Read(piece)).value_or(0) > 0, true);
  }
  EXPECT_EQ(Ask({.url = "/echo"}).value().status, 200);
}

TEST_F(HttpClientTest, FollowsRedirectsAsFarAsItIsTold) {
  Start();
  const auto followed = Ask({.method = Method::kPut, .url = "/redirect", .body = "hello"}).value();
  EXPECT_EQ(followed.body, "PUT hello");
  EXPECT_EQ(followed.url, address_ + "/echo");
  const auto shown = Ask({.url = "/redirect", .max_redirects = 0}).value();
  EXPECT_EQ(shown.status, 307);
  EXPECT_THAT(shown.headers.Find("Location"), Optional(std::string_view("/echo")));
  EXPECT_EQ(Ask({.url = "/loop"}).error().code, ErrorCode::kFailedPrecondition);
}

TEST_F(HttpClientTest, SaysWhatWentWrong) {
  Start();
  EXPECT_EQ(Ask({.url = "/broken"}).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(Ask({.url = "file:///etc/passwd"}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Ask({.url = "not an address"}).error().code, ErrorCode::kInvalidArgument);
  server_->Stop(std::chrono::milliseconds(0));
  EXPECT_EQ(Ask({.url = "/echo"}).error().code, ErrorCode::kUnavailable);
}

Task<Response> Proxy(HttpClient& client, std::string url) {
  auto response = co_await client.Send({.url = std::move(url)});
  if (!response) co_return Response::FromError(response.error());
  auto body = co_await ReadAll(*response, 1 << 20);
  if (!body) co_return Response::FromError(body.error());
  co_return Response::Text(response->status, "by way of " + *body);
}

TEST_F(HttpClientTest, EndsWhenItIsCancelled) {
  Start();
  std::atomic<bool> cancelled = true;
  EXPECT_EQ(Ask({.url = "/echo", .cancelled = &cancelled}).error().code, ErrorCode::kCancelled);
  WritePattern(64 << 20);
  cancelled = false;
  auto response = RunToCompletion(client_->Send({.url = address_ + "/pattern", .cancelled = &cancelled}));
  ASSERT_OK(response);
  cancelled = true;
  EXPECT_EQ(RunToCompletion(ReadAll(*response, 100 << 20)).error().code, ErrorCode::kCancelled);
}

TEST_F(HttpClientTest, WorksInsideOfAHandler) {
  Start();
  ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  const auto proxy =
      Server::Start(std::move(options), [this](Request&) { return Proxy(*client_, address_ + "/echo"); });
  ASSERT_OK(proxy);
  EXPECT_EQ(Ask({.url = (*proxy)->addresses().front()}).value().body, "by way of GET ");
}

class TlsTest : public HttpClientTest {
 protected:
  void StartTls() {
    WriteTestCertificate(Certificate(), Key(), "one");
    ServerOptions options;
    options.certificate = Certificate();
    options.key = Key();
    Start(std::move(options));
    Trust();
  }
  void Trust() {
    HttpClient::Options options;
    options.ca_file = Certificate();
    client_ = std::make_unique<HttpClient>(options);
  }
  std::filesystem::path Certificate() { return folder_.path() / "certificate.pem"; }
  std::filesystem::path Key() { return folder_.path() / "key.pem"; }
};

TEST_F(TlsTest, CarriesTheSameAsPlain) {
  WritePattern(3 << 20);
  StartTls();
  EXPECT_THAT(address_, testing::StartsWith("https://127.0.0.1:"));
  EXPECT_EQ(Ask({.method = Method::kPost, .url = "/echo", .body = "hello"}).value().body, "POST hello");
  EXPECT_EQ(Ask({.url = "/pattern"}).value().body, Pattern(3 << 20));
  PatternBody upload(3 << 20);
  EXPECT_EQ(Ask({.method = Method::kPut, .url = "/count", .upload = &upload}).value().body, "3145728");
}

TEST_F(TlsTest, ACertificateThatIsNotTrustedIsRefused) {
  StartTls();
  client_ = std::make_unique<HttpClient>();
  EXPECT_EQ(Ask({.url = "/echo"}).error().code, ErrorCode::kFailedPrecondition);
}

TEST_F(TlsTest, TakesANewCertificateWhileItRuns) {
  StartTls();
  EXPECT_OK(Ask({.url = "/echo"}));
  WriteTestCertificate(Certificate(), Key(), "two");
  Trust();
  EXPECT_FALSE(Ask({.url = "/echo"}));
  ASSERT_OK(server_->ReloadCertificate());
  EXPECT_OK(Ask({.url = "/echo"}));
  std::ofstream(Certificate()) << "rubbish";
  EXPECT_EQ(server_->ReloadCertificate().error().code, ErrorCode::kInvalidArgument);
}

TEST_F(TlsTest, PlainHttpOnItsPortIsRefused) {
  StartTls();
  RawClient client(server_->port());
  EXPECT_EQ(client.Get("/").status, 0);
}

TEST_F(TlsTest, AKeyThatDoesNotBelongIsRefused) {
  WriteTestCertificate(Certificate(), Key(), "one");
  WriteTestCertificate(folder_.path() / "other.pem", Key(), "two");
  ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.certificate = Certificate();
  options.key = Key();
  EXPECT_EQ(Server::Start(options, nullptr).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace bothy::net
