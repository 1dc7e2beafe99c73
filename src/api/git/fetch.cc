// git clone and git fetch over HTTP (gitprotocol-http): the git program answers, with what a client asks for in one
// request on its input.
#include <fmt/format.h>

#include <memory>

#include "api/git/git_body.h"
#include "api/git/git_route.h"
#include "api/git/pkt_line.h"
#include "api/git/push.h"
#include "base/log.h"
#include "hub/git_transport.h"
#include "net/blocking_body.h"
#include "net/server.h"

namespace bothy::api {
namespace {

constexpr std::string_view kService = "git-upload-pack";
constexpr std::string_view kRequestType = "application/x-git-upload-pack-request";
constexpr std::string_view kResultType = "application/x-git-upload-pack-result";
constexpr std::string_view kAdvertisementType = "application/x-git-upload-pack-advertisement";

// Names of 330,000 objects: what a client has and wants. A fetch with more says so in parts.
constexpr uint64_t kMaxRequestBytes = 16 << 20;

// Each fetch is a program that may take 200 MB, and a thread for as long as its client takes to read: so many at once,
// the others wait.
constexpr int kMaxPrograms = 32;
constexpr size_t kMaxWaiting = net::ServerOptions::kMaxConnections;

net::WorkerPool& Programs() {
  static net::WorkerPool pool(kMaxPrograms, kMaxWaiting);
  return pool;
}

struct Fetch {
  std::shared_ptr<git::GitRepository> git;
  UploadPackStep step = UploadPackStep::kAnswer;
  std::string protocol;
  std::string head;   // of the answer, before what git says
  std::string input;  // of the program
};

Result<void> Serve(const Fetch& fetch, const std::stop_token& gone, net::BlockingWriter& out) {
  if (gone.stop_requested()) return Fail(ErrorCode::kCancelled, "the client has gone");
  if (!fetch.head.empty()) TRY(out.Write(fetch.head));
  const auto program = TRY(StartUploadPack(*fetch.git, fetch.step, fetch.protocol));
  const std::stop_callback stop(gone, [&] { program->Kill(); });
  std::string_view rest = fetch.input;
  const int status = TRY(program->Exchange([&]() -> Result<std::string_view> { return std::exchange(rest, {}); },
                                           [&](std::string_view text) { return out.Write(text); }));
  // What is wrong stands in the answer for the client to show, which it would not if the answer were cut; and no part
  // of a pack is taken for the whole, because it ends with its checksum.
  if (status != 0) {
    Log(LogLevel::kWarning, "git upload-pack failed",
        {{"repository", fetch.git->path()}, {"status", status}, {"message", program->error_output()}});
  }
  return {};
}

Response Answer(const net::Request& request, Fetch fetch, std::string_view media_type) {
  auto shared = std::make_shared<const Fetch>(std::move(fetch));
  return GitAnswer(Response::Stream(
      Status::kOk, media_type,
      [shared = std::move(shared), gone = request.gone](net::BodyWriter& body) -> net::Task<Result<void>> {
        net::BlockingWriter writer(body);
        co_return co_await net::RunBlocking(Programs(), [&] { return Serve(*shared, gone, writer); });
      }));
}

std::string ProtocolOf(const net::Request& request) {
  return std::string(request.headers.Find("Git-Protocol").value_or(""));
}

// The repository to read from, or a refusal.
net::Task<Result<tl::expected<std::shared_ptr<git::GitRepository>, Response>>> OpenForFetch(Call& call) {
  using Opened = tl::expected<std::shared_ptr<git::GitRepository>, Response>;
  co_return co_await net::RunBlocking(call.service.workers, [&]() -> Result<Opened> {
    if (auto refusal = TRY(AdmitToGit(call, {Right::kReadContent}))) return tl::unexpected(AsText(*std::move(refusal)));
    return TRY(call.hub().repositories().Open(call.repository()));
  });
}

net::Task<Response> InfoRefs(Call& call) {
  const std::string_view service = call.Query("service");
  if (service == kPushService) co_return co_await AdvertisePush(call);
  if (service != kService) {
    co_return AsText(Refuse(Status::kForbidden, "", "Please upgrade your git client: only smart HTTP is served"));
  }
  auto opened = co_await OpenForFetch(call);
  if (!opened) co_return AsText(Refuse(opened.error(), ""));
  if (!*opened) co_return std::move(*opened).error();
  Fetch fetch = {.git = **opened, .step = UploadPackStep::kAdvertise, .protocol = ProtocolOf(call.request)};
  // git's own server leaves the service's name out in the second version.
  if (fetch.protocol != "version=2") {
    AppendPacket(fetch.head, fmt::format("# service={}\n", kService));
    fetch.head += kFlushPacket;
  }
  co_return Answer(call.request, std::move(fetch), kAdvertisementType);
}

net::Task<Response> UploadPack(Call& call) {
  if (const auto checked = GitBody::Check(call.request, kRequestType); !checked) {
    co_return AsText(Refuse(Status::kUnsupportedMediaType, "", checked.error().message));
  }
  auto opened = co_await OpenForFetch(call);
  if (!opened) co_return AsText(Refuse(opened.error(), ""));
  if (!*opened) co_return std::move(*opened).error();
  GitBody body(call.request);
  auto input = co_await net::ReadAll(body.reader(), kMaxRequestBytes);
  if (!input) co_return AsText(Refuse(input.error(), ""));
  co_return Answer(call.request,
                   {.git = **opened, .protocol = ProtocolOf(call.request), .head = {}, .input = *std::move(input)},
                   kResultType);
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(git_fetch)(Routes& routes) {
  AddGitRoutes(routes, Method::kGet, "/info/refs", Right::kReadContent, InfoRefs);
  AddGitRoutes(routes, Method::kPost, "/git-upload-pack", Right::kReadContent, UploadPack, kMaxRequestBytes);
}
