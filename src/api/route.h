// A resource of the hub's API is one file: it says BOTHY_ROUTES(name) at the start of a line and defines that function,
// which adds its routes; nothing else is edited.
//
//   Result<net::Response> ListRefs(Call& call) { ... }
//
//   BOTHY_ROUTES(refs)(Routes& routes) {
//     routes.Repository(Method::kGet, "/refs", Right::kSee, ListRefs);
//   }
//
// Before a handler runs it is known who asks, the repository that the path names was found, and the actor has the
// route's right on it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/answer.h"
#include "api/login_limits.h"
#include "hub/files.h"
#include "hub/hub.h"
#include "hub/rights.h"
#include "hub/upstream.h"
#include "net/executor.h"
#include "net/request.h"
#include "net/response.h"
#include "net/target.h"

namespace bothy::serve {
class Serving;
}

namespace bothy::api {

using net::Method;
using net::Response;
using net::Status;

// Who may ask the models that the server was started with.
struct ModelAccess {
  std::string key;    // who sends it; "": nobody has one
  bool open = false;  // everybody, whatever key they send
};

struct Service {
  Hub& hub;
  net::WorkerPool& workers;  // for what blocks
  LoginLimits& login_limits;
  Upstream* upstream;        // where what is not here may be; null: nowhere
  net::WorkerPool& waiting;  // for who waits for a file from it
  serve::Serving* serving;   // runs models; null: nobody does
  net::WorkerPool& loading;  // for who waits for a model to be loaded
  ModelAccess model_access;
};

// One request on its way through a handler.
struct Call {
  Service& service;
  net::Request& request;
  std::vector<std::pair<std::string_view, std::string>> parameters;  // of the path, decoded
  net::QueryParameters query;
  Actor actor;
  std::optional<FoundRepository> found;  // the repository that the path names
  std::string body;                      // of a route that takes it whole

  Hub& hub() { return service.hub; }
  const Repository& repository() const { return found->repository; }
  const std::string& Parameter(std::string_view name) const;  // of the pattern
  std::string_view Query(std::string_view name) const { return query.Find(name).value_or(""); }
  bool QueryFlag(std::string_view name) const;  // "1", "true" or "True"
  Cause cause() const { return Cause::By(actor, request.remote); }

  // Whether the actor has a right on a namespace or another repository than that of the path; the refusal where not.
  std::optional<Response> Refusal(Right right, const NamespaceFacts& owner) const;
  std::optional<Response> Refusal(Right right, const FoundRepository& repository) const;

  // Whether the actor may commit to a revision of the repository: whoever may only read may still begin a pull request,
  // and push to its ref.
  std::optional<Response> CommitRefusal(std::string_view revision) const;

  Result<RepositoryFiles> Files();
};

// On a worker, where it may block.
using BlockingHandler = Result<Response> (*)(Call& call);
// On a network thread: for content that streams.
using StreamingHandler = net::Task<Response> (*)(Call& call);

inline constexpr uint64_t kMaxJsonBytes = 1 << 20;  // of a body that is taken whole, where a route says nothing else

struct Route {
  Right right;
  std::optional<RepositoryKind> kind;  // it names a repository, as {owner} and {name}
  std::variant<BlockingHandler, StreamingHandler> handler;
  uint64_t max_body = kMaxJsonBytes;
  bool granted = false;      // the request carries a grant of the hub's own, which the handler checks, and no login
  bool same_origin = false;  // not for pages of other origins (net/cors.h)
  bool asks_model = false;   // also open to who has the models' own key, or to everybody, as the server was told
};

class Routes {
 public:
  struct Added {
    Method method;
    std::string pattern;
    Route route;
  };

  template <class Handler>
  void Add(Method method, std::string pattern, Right right, Handler handler, uint64_t max_body = kMaxJsonBytes) {
    added_.push_back({method, std::move(pattern), {right, std::nullopt, handler, max_body}});
  }

  // Where who asks shows something that the hub has signed (hub/signatures.h): the handler looks at it.
  template <class Handler>
  void AddGranted(Method method, std::string pattern, Handler handler, uint64_t max_body = kMaxJsonBytes) {
    added_.push_back({method, std::move(pattern), {Right::kBrowse, std::nullopt, handler, max_body, true}});
  }

  // Asks a model. Clients of these protocols must send some key, and where models are open it may be any.
  template <class Handler>
  void AddModel(Method method, std::string pattern, Handler handler, uint64_t max_body = kMaxJsonBytes) {
    added_.push_back(
        {method,
         std::move(pattern),
         {.right = Right::kBrowse, .kind = {}, .handler = handler, .max_body = max_body, .asks_model = true}});
  }

  // A page for people, who show the cookie of a session: the handler looks at it.
  template <class Handler>
  void AddPage(Method method, std::string pattern, Handler handler, uint64_t max_body = kMaxJsonBytes) {
    added_.push_back({method, std::move(pattern), {Right::kBrowse, std::nullopt, handler, max_body, true, true}});
  }

  // /api/models/{owner}/{name} with `rest` behind it, and the same for the other kinds.
  template <class Handler>
  void Repository(Method method, std::string_view rest, Right right, Handler handler,
                  uint64_t max_body = kMaxJsonBytes) {
    for (const RepositoryKind kind : kRepositoryKinds) {
      added_.push_back({method,
                        "/api/" + std::string(KindPlural(kind)) + "/{owner}/{name}" + std::string(rest),
                        {right, kind, handler, max_body}});
    }
  }

  // /{owner}/{name}, /datasets/{owner}/{name} ... with `rest` behind it: where people and git look.
  template <class Handler>
  void Page(Method method, std::string_view rest, Right right, Handler handler, uint64_t max_body = kMaxJsonBytes) {
    for (const RepositoryKind kind : kRepositoryKinds) {
      added_.push_back({method,
                        "/" + std::string(KindPrefix(kind)) + "{owner}/{name}" + std::string(rest),
                        {right, kind, handler, max_body}});
    }
  }

  const std::vector<Added>& added() const { return added_; }

 private:
  std::vector<Added> added_;
};

// The routes of all files.
Routes AllRoutes();

// Why not, to who has not the right on a repository that they may know of.
Response Refuse(Verdict verdict, const net::Request& request, const Repository& repository);

// The repository at an address that people see: "https://hub/datasets/ada/demo".
std::string RepositoryUrl(const net::Request& request, RepositoryKind kind, std::string_view full_name);
inline std::string RepositoryUrl(const net::Request& request, const Repository& repository) {
  return RepositoryUrl(request, repository.kind, repository.FullName());
}

}  // namespace bothy::api

#define BOTHY_ROUTES(name)               \
  namespace bothy::api {                 \
  void AddRoutes_##name(Routes& routes); \
  }                                      \
  void bothy::api::AddRoutes_##name
