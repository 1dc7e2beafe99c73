#include "api/git/git_route.h"

#include <fmt/format.h>

namespace bothy::api {
namespace {

Response AskToLogIn() {
  return Refuse(Status::kUnauthorized, "", "Log in with your name and an access token in place of a password")
      .With("WWW-Authenticate", "Basic realm=\"Bothy\", charset=\"UTF-8\"");
}

}  // namespace

RepositoryKind KindOfGitPath(std::string_view path) {
  path.remove_prefix(1);  // no user can be called "datasets"
  return KindOfPlural(path.substr(0, path.find('/'))).value_or(RepositoryKind::kModel);
}

Result<std::optional<Response>> AdmitToGit(Call& call, std::initializer_list<Right> rights) {
  const RepositoryKind kind = KindOfGitPath(call.request.path);
  const std::string &owner = call.Parameter("owner"), &name = call.Parameter("name");
  call.found = TRY(call.hub().repositories().Find(call.actor, kind, owner, name));
  std::optional<Verdict> refused;  // by the first right
  if (call.found) {
    for (const Right right : rights) {
      const Verdict verdict = Decide(call.actor, right, call.found->facts);
      if (verdict == Verdict::kAllowed) return std::nullopt;
      if (!refused) refused = verdict;
    }
  }
  const Verdict verdict = refused.value_or(Verdict::kNotFound);
  if (call.actor.IsNobody() && verdict != Verdict::kDisabled) return AskToLogIn();
  if (verdict == Verdict::kNotFound) return Refuse(verdict, fmt::format("{}/{}", owner, name), "");
  return Refuse(verdict, call.request, call.repository());
}

std::string_view MessageOf(const Response& refusal) {
  return refusal.headers.Find("X-Error-Message").value_or("internal error");
}

Response AsText(Response refusal) {
  refusal.body = std::string(MessageOf(refusal)) + "\n";
  refusal.headers.Set("Content-Type", "text/plain; charset=utf-8");
  return refusal;
}

}  // namespace bothy::api
