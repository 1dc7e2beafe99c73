#include "api/app.h"

#include <fmt/format.h>

#include "api/git/git_route.h"
#include "api/route.h"
#include "api/upstream_refusal.h"
#include "base/base64.h"
#include "crypto/secrets.h"
#include "net/router.h"
#include "net/server.h"

namespace bothy::api {
namespace {

// The secret of "Bearer hf_..." or of "Basic ...", whose password it is: git knows no other way. Nothing where there is
// no such field. Anthropic's clients have another one.
Result<std::optional<std::string>> TokenOf(const net::Headers& headers, bool anthropic) {
  const auto field = headers.Find("Authorization");
  if (!field) {
    const auto key = anthropic ? headers.Find("x-api-key") : std::nullopt;
    return key ? std::optional<std::string>(*key) : std::nullopt;
  }
  const size_t space = field->find(' ');
  const std::string_view scheme = field->substr(0, space);
  const std::string_view rest = space == std::string_view::npos ? "" : net::TrimSpaces(field->substr(space));
  if (net::EqualsIgnoringCase(scheme, "Bearer") && !rest.empty()) return std::string(rest);
  if (net::EqualsIgnoringCase(scheme, "Basic")) {
    const auto decoded = DecodeBase64(rest);
    if (decoded) {
      const std::string_view text(reinterpret_cast<const char*>(decoded->data()), decoded->size());
      const size_t colon = text.find(':');
      if (colon != std::string_view::npos) return std::string(text.substr(colon + 1));
    }
  }
  return Fail(ErrorCode::kUnauthenticated, "Invalid credentials in Authorization header");
}

// The same address with the repository's present name in place of one from before it was moved, relative, because
// clients follow no other for HEAD.
std::string MovedPath(const Call& call) {
  std::string_view path = call.request.path;
  size_t skip = 0;
  if (path.starts_with("/api/")) {
    skip = path.find('/', 5) + 1;
  } else {
    skip = 1 + KindPrefix(call.repository().kind).size();
  }
  const size_t owner_end = path.find('/', skip);
  const std::string_view old_name = path.substr(owner_end + 1, path.find('/', owner_end + 1) - owner_end - 1);
  const std::string_view ending = old_name.ends_with(".git") ? ".git" : "";
  const std::string_view rest = path.substr(owner_end + 1 + old_name.size());
  return fmt::format("{}{}{}{}{}{}", path.substr(0, skip), call.repository().FullName(), ending, rest,
                     call.request.query.empty() ? "" : "?", call.request.query);
}

}  // namespace

#define BOTHY_ROUTES_ENTRY(name) void AddRoutes_##name(Routes& routes);
#include "api_routes.inc"
#undef BOTHY_ROUTES_ENTRY

Routes AllRoutes() {
  Routes routes;
#define BOTHY_ROUTES_ENTRY(name) AddRoutes_##name(routes);
#include "api_routes.inc"
#undef BOTHY_ROUTES_ENTRY
  return routes;
}

const std::string& Call::Parameter(std::string_view name) const {
  static const std::string none;
  for (const auto& [parameter, text] : parameters) {
    if (parameter == name) return text;
  }
  return none;
}

bool Call::QueryFlag(std::string_view name) const {
  const std::string_view value = Query(name);
  return value == "1" || value == "true" || value == "True";
}

std::optional<Response> Call::Refusal(Right right, const NamespaceFacts& owner) const {
  const Verdict verdict = Decide(actor, right, owner);
  if (verdict == Verdict::kAllowed) return std::nullopt;
  return Refuse(verdict, "", "");
}

std::optional<Response> Call::Refusal(Right right, const FoundRepository& other) const {
  const Verdict verdict = Decide(actor, right, other.facts);
  if (verdict == Verdict::kAllowed) return std::nullopt;
  return Refuse(verdict, request, other.repository);
}

std::optional<Response> Call::CommitRefusal(std::string_view revision) const {
  const bool pull_request = QueryFlag("create_pr") || revision.starts_with("refs/pr/");
  return Refusal(pull_request ? Right::kCreatePullRequest : Right::kWriteContent, *found);
}

Result<RepositoryFiles> Call::Files() {
  return RepositoryFiles::Open(hub().repositories(), repository(), hub().large_content());
}

Response Refuse(Verdict verdict, const net::Request& request, const Repository& repository) {
  return Refuse(verdict, repository.FullName(),
                verdict == Verdict::kMirror ? repository.mirror_of : RepositoryUrl(request, repository));
}

std::string RepositoryUrl(const net::Request& request, RepositoryKind kind, std::string_view full_name) {
  return fmt::format("{}/{}{}", request.base_url, KindPrefix(kind), full_name);
}

struct App::Implementation {
  Implementation(Hub& hub, const AppOptions& options)
      : workers(options.workers, options.max_waiting),
        login_limits(hub.clock()),
        asking(options.waiting_for_upstream, net::ServerOptions::kMaxConnections),
        waiting(options.waiting_for_upstream, net::ServerOptions::kMaxConnections),
        loading(options.waiting_for_models, net::ServerOptions::kMaxConnections),
        service{hub,     workers,         login_limits, options.upstream,
                waiting, options.serving, loading,      {options.model_key, options.models_open}},
        limits({.name = "api", .quota = options.requests_quota}, hub.clock()),
        cors(options.cors) {
    const Routes all = AllRoutes();
    for (const Routes::Added& added : all.added()) router.Add(added.method, added.pattern, added.route);
  }

  // By a key that is no token of the hub.
  bool MayAskModels(const std::string& key) const {
    const ModelAccess& access = service.model_access;
    return access.key.empty() ? access.open : SecretsEqual(key, access.key);
  }
  // Who asks, for what, and whether they may: an answer where that is no.
  std::optional<Response> Admit(Call& call, const Route& route);
  std::optional<Response> FindRepository(Call& call, const Route& route);
  // What another hub has of the repository that is asked for: whether there is more here now than before.
  net::Task<Result<bool>> AskUpstream(Call& call, const Route& route);
  net::Task<Response> Answer(Call& call, const Route& route);

  net::WorkerPool workers;
  LoginLimits login_limits;
  net::WorkerPool asking;   // for who waits for an answer of the other hub
  net::WorkerPool waiting;  // and for who waits for a file from it
  net::WorkerPool loading;
  Service service;
  RateLimits limits;
  const net::CorsOptions cors;
  net::Router<Route> router;
};

App::App(Hub& hub, const AppOptions& options) : implementation_(std::make_unique<Implementation>(hub, options)) {}
App::~App() = default;

std::optional<Response> App::Implementation::FindRepository(Call& call, const Route& route) {
  std::string_view name = call.Parameter("name");
  auto found = service.hub.repositories().Find(call.actor, *route.kind, call.Parameter("owner"), name);
  if (!found) return Response::FromError(found.error());
  const std::string asked = fmt::format("{}/{}", call.Parameter("owner"), name);
  if (!*found) return Refuse(Verdict::kNotFound, asked, "");
  call.found = std::move(**found);
  const Verdict verdict = Decide(call.actor, route.right, call.found->facts);
  if (verdict == Verdict::kNotFound) return Refuse(verdict, asked, "");
  if (verdict != Verdict::kAllowed) return Refuse(verdict, call.request, call.repository());
  const bool reads = call.request.method == Method::kGet || call.request.method == Method::kHead;
  if (call.found->moved && reads) return Response::Redirect(Status::kTemporaryRedirect, MovedPath(call));
  return std::nullopt;
}

std::optional<Response> App::Implementation::Admit(Call& call, const Route& route) {
  if (route.granted) return std::nullopt;
  auto token = TokenOf(call.request.headers, route.asks_model);
  if (!token) return Refuse(token.error(), "");
  if (*token) {
    auto actor = service.hub.tokens().Authenticate(**token);
    const bool any_key = route.asks_model && MayAskModels(**token);
    if (!actor && !any_key) return Refuse(actor.error(), "");
    if (actor) call.actor = *std::move(actor);
    call.request.actor = call.actor.name;
  } else if (route.asks_model && !service.model_access.key.empty()) {
    return Refuse(Status::kUnauthorized, "", "a key is needed: Authorization: Bearer KEY");
  }
  if (route.kind) return FindRepository(call, route);
  if (AllRules()[static_cast<size_t>(route.right)].subject != Rule::Subject::kHub)
    return std::nullopt;  // the handler's
  const Verdict verdict = Decide(call.actor, route.right);
  if (verdict == Verdict::kAllowed) return std::nullopt;
  return Refuse(verdict, "", "");
}

net::Task<Result<bool>> App::Implementation::AskUpstream(Call& call, const Route& route) {
  const bool reads = route.right == Right::kSee || route.right == Right::kReadContent;
  const std::string &owner = call.Parameter("owner"), &name = call.Parameter("name");
  if (service.upstream == nullptr || route.granted || !reads || owner.empty() || name.empty()) co_return false;
  if (call.found && call.repository().mirror_of.empty()) co_return false;
  const std::string_view path = call.request.path;
  const RepositoryKind kind = route.kind ? *route.kind : KindOfGitPath(path);
  // Whoever asks for what is the hub's own must not wait for those who wait for the other hub.
  const auto found =
      co_await net::RunBlocking(workers, [&] { return service.hub.repositories().Find({}, kind, owner, name); });
  if (!found) co_return tl::unexpected(found.error());
  const auto& here = *found;
  if (here && here->repository.mirror_of.empty()) co_return false;
  co_return co_await net::RunBlocking(asking, [&]() -> Result<bool> {
    if (!here) return service.upstream->Bring(kind, owner, name);
    const std::string& revision = call.Parameter("revision");
    if (revision.empty() && path.ends_with("/refs")) return service.upstream->Refresh(here->repository, std::nullopt);
    if (!route.kind) return false;  // what git asks for has been shown to it before
    return service.upstream->Refresh(here->repository, revision.empty() ? std::string(git::kDefaultBranch) : revision);
  });
}

net::Task<Response> App::Implementation::Answer(Call& call, const Route& route) {
  auto query = call.request.Query();
  if (!query) co_return Refuse(query.error(), "");
  call.query = *std::move(query);
  auto refused =
      co_await net::RunBlocking(workers, [&]() -> Result<std::optional<Response>> { return Admit(call, route); });
  if (!refused) co_return Refuse(refused.error(), "");

  const std::string key =
      call.actor.IsNobody() ? AddressKey(call.request.remote) : fmt::format("user {}", call.actor.user_id);
  const Allowance allowance = limits.Take(key);
  const auto with_limits = [&](Response response) {
    response.headers.Set("RateLimit", RateLimitHeader(limits.policy(), allowance));
    response.headers.Set("RateLimit-Policy", RateLimitPolicyHeader(limits.policy()));
    return response;
  };
  if (!allowance.allowed) {
    co_return with_limits(
        Refuse(Status::kTooManyRequests, "",
               fmt::format("Too many requests: {} in {} minutes. Try again in {} seconds.", limits.policy().quota,
                           limits.policy().window.count() / 60, allowance.reset.count()))
            .With("Retry-After", std::to_string(allowance.reset.count())));
  }
  // Not where a token is wrong: that stays so.
  const auto code = *refused ? (*refused)->headers.Find("X-Error-Code") : std::nullopt;
  const bool missing = code == kRepoNotFound && !call.found;
  // The original may have become public, or lost its gate.
  const bool closed =
      call.found && !call.repository().mirror_of.empty() && (code == kRepoNotFound || code == kGatedRepo);
  if (!*refused || missing || closed) {
    auto more = co_await AskUpstream(call, route);
    if (!more) co_return with_limits(RefuseForUpstream(more.error()));
    if (*more && route.kind) {
      refused = co_await net::RunBlocking(
          workers, [&]() -> Result<std::optional<Response>> { return FindRepository(call, route); });
      if (!refused) co_return with_limits(Refuse(refused.error(), ""));
    }
  }
  if (*refused) co_return with_limits(std::move(**refused));

  if (const auto* streaming = std::get_if<StreamingHandler>(&route.handler)) {
    call.request.body->SetLimit(route.max_body);
    auto response = co_await (*streaming)(call);
    co_return with_limits(std::move(response));
  }
  call.request.body->SetLimit(route.max_body);
  auto body = co_await net::ReadAll(*call.request.body, route.max_body);
  if (!body) co_return with_limits(Refuse(body.error(), ""));
  call.body = *std::move(body);
  auto response = co_await net::RunBlocking(workers, [&] { return std::get<BlockingHandler>(route.handler)(call); });
  co_return with_limits(response ? *std::move(response) : Refuse(response.error(), ""));
}

net::Task<Response> App::Handle(net::Request& request) {
  const net::CorsOptions& cors = implementation_->cors;
  auto match = implementation_->router.Find(request.method, request.path);
  if (net::IsPreflight(request)) co_return net::AnswerPreflight(cors, request, match.allow);
  if (match.value == nullptr) {
    Response response = match.ToResponse();
    net::AddCorsHeaders(cors, request, response);
    co_return response;
  }
  request.route = match.pattern;
  Call call = {.service = implementation_->service,
               .request = request,
               .parameters = std::move(match.parameters),
               .query = {},
               .actor = {},
               .found = {},
               .body = {}};
  Response response = co_await implementation_->Answer(call, *match.value);
  if (!match.value->same_origin) net::AddCorsHeaders(cors, request, response);
  co_return response;
}

}  // namespace bothy::api
