// What the routes of git and of git-lfs share: where they are, and who is let in.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "api/route.h"

namespace bothy::api {

// /{owner}/{name}.git with `rest` behind it, and the same for the other kinds. Its handler begins with AdmitToGit,
// because whom git may tell what differs from what the hub's API says.
template <class Handler>
void AddGitRoute(Routes& routes, Method method, std::string_view rest, Right right, Handler handler,
                 uint64_t max_body = kMaxJsonBytes) {
  for (const RepositoryKind kind : kRepositoryKinds) {
    routes.Add(method, "/" + std::string(KindPrefix(kind)) + "{owner}/{name}.git" + std::string(rest), right, handler,
               max_body);
  }
}

// The same also without ".git": git asks where it was told to.
template <class Handler>
void AddGitRoutes(Routes& routes, Method method, std::string_view rest, Right right, Handler handler,
                  uint64_t max_body = kMaxJsonBytes) {
  AddGitRoute(routes, method, rest, right, handler, max_body);
  for (const RepositoryKind kind : kRepositoryKinds) {
    routes.Add(method, "/" + std::string(KindPrefix(kind)) + "{owner}/{name}" + std::string(rest), right, handler,
               max_body);
  }
}

// The kind of repository that a path of git's names: "/datasets/ada/demo.git/...".
RepositoryKind KindOfGitPath(std::string_view path);

// Finds the repository that the path names, also by a name from before it was moved, for call.found; a refusal where
// the actor has none of `rights` on it. Nobody is asked to log in, whether it is there or not: git asks for a password
// only then. May block.
Result<std::optional<Response>> AdmitToGit(Call& call, std::initializer_list<Right> rights);

// A refusal as git shows it on the user's terminal.
Response AsText(Response refusal);

// What was refused or has failed, in words.
std::string_view MessageOf(const Response& refusal);

}  // namespace bothy::api
