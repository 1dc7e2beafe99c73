// git push over HTTP (gitprotocol-http): the refs that there are, then one request that names those to move and brings
// a pack. We speak this half of the protocol ourselves, so that nothing moves before the rules have been looked at, and
// git takes the pack.
#include "api/git/push.h"

#include <fmt/format.h>

#include <set>

#include "api/git/git_body.h"
#include "api/git/git_route.h"
#include "api/git/pkt_line.h"
#include "api/git/push_request.h"
#include "hub/git_transport.h"
#include "net/blocking_body.h"

namespace bothy::api {
namespace {

constexpr std::string_view kRequestType = "application/x-git-receive-pack-request";
constexpr std::string_view kResultType = "application/x-git-receive-pack-result";
constexpr std::string_view kAdvertisementType = "application/x-git-receive-pack-advertisement";
constexpr std::string_view kCapabilities =
    "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta object-format=sha1 agent=bothy";
constexpr std::string_view kDeclined = "declined: see what is said above";
constexpr size_t kPiece = 64 << 10;
constexpr uint64_t kMaxRequestBytes = kMaxPackBytes + (64 << 20);  // the pack, and the names of refs before it

// Whoever may only read may still push to a pull request.
constexpr std::string_view kPullRequests = "refs/pr/";
Result<std::optional<Response>> Admit(Call& call) {
  return AdmitToGit(call, {Right::kWriteContent, Right::kCreatePullRequest});
}

Result<std::string> Advertisement(const git::GitRepository& git) {
  std::string text;
  AppendPacket(text, fmt::format("# service={}\n", kPushService));
  text += kFlushPacket;
  std::string_view capabilities = kCapabilities;
  const auto add = [&](std::string_view oid, std::string_view ref) {
    AppendPacket(text, capabilities.empty() ? fmt::format("{} {}\n", oid, ref)
                                            : fmt::format("{} {}{}{}\n", oid, ref, '\0', capabilities));
    capabilities = {};
  };
  for (const PushableRef& ref : TRY(ListPushableRefs(git))) add(ref.oid.ToHex(), ref.name);
  if (!capabilities.empty()) add(git::Oid().ToHex(), "capabilities^{}");
  text += kFlushPacket;
  return text;
}

// One push on its way through the request.
class Push {
 public:
  Push(Call& call, PushRequest request) : call_(call), request_(std::move(request)) {}

  // Before any of the pack is taken.
  Result<void> Begin() {
    std::set<std::string_view> refs;
    for (const RefUpdate& update : request_.updates) {
      if (!refs.insert(update.ref).second) Note(fmt::format("{}: named twice in one push", update.ref));
      if (update.ref.starts_with(kPullRequests)) {
        const auto may = CheckPullRequest(call_.hub().database(), call_.actor, *call_.found, update.ref);
        if (!may && may.error().code != ErrorCode::kPermissionDenied) return may;
        if (!may) Note(may.error().message);
        continue;
      }
      if (const auto refusal = call_.Refusal(Right::kWriteContent, *call_.found)) {
        Note(fmt::format("{}: {}", update.ref, MessageOf(*refusal)));
      }
    }
    if (!report_.messages.empty() || !request_.BringsPack()) return {};
    const auto git = TRY(call_.hub().repositories().Open(call_.repository()));
    pack_ = TRY(PackReceiver::Begin(*git));
    return {};
  }

  // Where the push has been refused the pack is passed over: git shows the reason only after it has sent all of it.
  Result<void> Write(std::string_view bytes) { return pack_ != nullptr ? pack_->Write(bytes) : Result<void>(); }

  // The pack has come whole: what is answered.
  Result<std::string> Finish() {
    std::vector<std::string> refusals(request_.updates.size());
    if (report_.messages.empty()) TRY(Apply(refusals));
    for (size_t i = 0; i < refusals.size(); i++) {
      report_.refs.push_back({request_.updates[i].ref, refused_ ? Refusal() : std::move(refusals[i])});
    }
    return WritePushReport(request_, report_);
  }

  void Stop() {
    if (pack_ != nullptr) pack_->Stop();
  }

 private:
  void Note(std::string problem) {
    refused_ = true;
    report_.messages.push_back(std::move(problem));
  }

  // Who has no side band to read the messages on gets the first.
  std::string Refusal() const { return request_.side_band ? std::string(kDeclined) : report_.messages.front(); }

  Result<void> Apply(std::vector<std::string>& refusals) {
    if (pack_ != nullptr) {
      auto taken = pack_->Finish();
      if (!taken && taken.error().code != ErrorCode::kInvalidArgument) return taken;
      if (!taken) {
        report_.unpack = taken.error().message;
        std::ranges::fill(refusals, "the pack was not taken");
        return {};
      }
    }
    Repositories& repositories = call_.hub().repositories();
    auto verdict =
        CheckPush(repositories, call_.hub().large_content(), call_.actor, call_.repository(), request_.updates);
    // What it leads to is missing, or it names nothing itself.
    if (!verdict && (verdict.error().code == ErrorCode::kCorrupt || verdict.error().code == ErrorCode::kNotFound)) {
      Note(verdict.error().message);
      return {};
    }
    if (!verdict) return tl::unexpected(verdict.error());
    for (std::string& problem : verdict->problems) Note(std::move(problem));
    return refused_ ? Result<void>() : MoveRefs(*verdict, refusals);
  }

  Result<void> MoveRefs(const PushVerdict& verdict, std::vector<std::string>& refusals) {
    Repositories& repositories = call_.hub().repositories();
    if (request_.atomic) {
      const auto moved = ApplyPushTogether(repositories, call_.actor, call_.repository(), request_.updates, verdict);
      if (!moved && moved.error().code != ErrorCode::kFailedPrecondition) return moved;
      if (!moved) std::ranges::fill(refusals, "atomic push: " + moved.error().message);
      return {};
    }
    const auto results = TRY(ApplyPush(repositories, call_.actor, call_.repository(), request_.updates, verdict));
    for (size_t i = 0; i < results.size(); i++) {
      if (!results[i]) refusals[i] = results[i].error().message;
    }
    return {};
  }

  Call& call_;
  const PushRequest request_;
  PushReport report_;
  bool refused_ = false;
  std::unique_ptr<PackReceiver> pack_;  // until the refs have moved: what it brought must not be dropped before
};

// The request before the pack, and what was read of the pack with it.
struct Start {
  PushRequest request;
  std::string rest;
};

net::Task<Result<Start>> ReadStart(net::BodyReader& body) {
  PushRequestReader reader;
  std::string piece(kPiece, '\0');
  for (;;) {
    auto read = co_await body.Read(std::as_writable_bytes(std::span(piece)));
    const size_t bytes = CO_TRY(read);
    if (bytes == 0) co_return Fail(ErrorCode::kCorrupt, "a push: the request ends too early");
    const std::string_view text = std::string_view(piece).substr(0, bytes);
    auto added = reader.Add(text);
    const size_t used = CO_TRY(added);
    if (reader.done()) co_return Start{reader.Take(), std::string(text.substr(used))};
  }
}

net::Task<Response> ReceivePack(Call& call) {
  if (const auto checked = GitBody::Check(call.request, kRequestType); !checked) {
    co_return AsText(Refuse(Status::kUnsupportedMediaType, "", checked.error().message));
  }
  net::WorkerPool& workers = call.service.workers;
  auto refused = co_await net::RunBlocking(workers, [&] { return Admit(call); });
  if (!refused) co_return AsText(Refuse(refused.error(), ""));
  if (*refused) co_return AsText(std::move(**refused));

  GitBody body(call.request);
  auto start = co_await ReadStart(body.reader());
  if (!start) co_return AsText(Refuse(start.error(), ""));
  // git asks so whether its password is taken before it sends a large pack.
  if (start->request.updates.empty()) co_return GitAnswer(Response::Bytes(Status::kOk, kResultType, ""));

  Push push(call, std::move(start->request));
  auto begun = co_await net::RunBlocking(workers, [&]() -> Result<void> {
    TRY(push.Begin());
    return push.Write(start->rest);
  });
  if (!begun) co_return AsText(Refuse(begun.error(), ""));
  auto taken = co_await net::TakeBlocking(body.reader(), workers, [&](std::span<const std::byte> bytes) {
    return push.Write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  });
  if (!taken) co_return AsText(Refuse(taken.error(), ""));
  const std::stop_callback stop(call.request.gone, [&] { push.Stop(); });
  auto report = co_await net::RunBlocking(workers, [&] { return push.Finish(); });
  if (!report) co_return AsText(Refuse(report.error(), ""));
  co_return GitAnswer(Response::Bytes(Status::kOk, kResultType, *std::move(report)));
}

}  // namespace

net::Task<Response> AdvertisePush(Call& call) {
  using Answered = tl::expected<std::string, Response>;
  auto advertised = co_await net::RunBlocking(call.service.workers, [&]() -> Result<Answered> {
    if (auto refusal = TRY(Admit(call))) return tl::unexpected(AsText(*std::move(refusal)));
    const auto git = TRY(call.hub().repositories().Open(call.repository()));
    return TRY(Advertisement(*git));
  });
  if (!advertised) co_return AsText(Refuse(advertised.error(), ""));
  if (!*advertised) co_return std::move(*advertised).error();
  co_return GitAnswer(Response::Bytes(Status::kOk, kAdvertisementType, **std::move(advertised)));
}

}  // namespace bothy::api

BOTHY_ROUTES(git_push)(Routes& routes) {
  AddGitRoutes(routes, Method::kPost, "/git-receive-pack", Right::kWriteContent, ReceivePack, kMaxRequestBytes);
}
