// Repositories made, deleted, moved, copied and changed.
#include <fmt/format.h>

#include "api/route.h"
#include "hub/names.h"
#include "hub/namespaces.h"
#include "hub/object_id.h"

namespace bothy::api {
namespace {

struct FullName {
  std::string owner;
  std::string name;
};

Result<FullName> SplitName(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "expected the name of a repository as \"owner/name\", found \"{}\"",
                text.substr(0, 2 * kMaxNameLength));
  }
  return FullName{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

Result<RepositoryKind> KindOf(const json::object& body) {
  const std::string name = TRY(FindString(body, "type")).value_or("model");
  if (const auto kind = KindOfName(name)) return *kind;
  return Fail(ErrorCode::kInvalidArgument, "key \"type\": expected model, dataset, space or kernel, found \"{}\"",
              name.substr(0, 100));
}

// "visibility" is what clients send today, "private" what they sent before.
Result<std::optional<bool>> IsPrivate(const json::object& body) {
  if (const auto visibility = TRY(FindString(body, "visibility"))) {
    if (*visibility == "public") return false;
    if (*visibility == "private") return true;
    return Fail(ErrorCode::kInvalidArgument, "key \"visibility\": expected public or private, found \"{}\"",
                visibility->substr(0, 100));
  }
  return FindBool(body, "private");
}

// A namespace in which the actor may make repositories.
struct Target {
  int64_t id = 0;
  std::string name;
  bool private_by_default = false;
};

Result<tl::expected<Target, Response>> FindTarget(Call& call, const std::string& owner) {
  struct Found {
    Namespace space;
    NamespaceFacts facts;
  };
  const auto found = TRY(call.hub().database().Read([&](Transaction& t) -> Result<std::optional<Found>> {
    auto space = TRY(FindNamespace(t, owner));
    if (!space) return std::nullopt;
    const NamespaceFacts facts = TRY(FactsOn(t, call.actor, space->id));
    return Found{*std::move(space), facts};
  }));
  if (!found) {
    return tl::unexpected(Refuse(Status::kNotFound, "", fmt::format("There is no user or organization \"{}\"", owner)));
  }
  if (auto refusal = call.Refusal(Right::kCreateRepository, found->facts)) return tl::unexpected(*std::move(refusal));
  Target target = {found->space.id, found->space.name, false};
  if (found->space.kind == NamespaceKind::kOrganization) {
    target.private_by_default = TRY(call.hub().organizations().Find(owner)).private_by_default;
  }
  return target;
}

// A repository that a body names, and on which the actor has a right.
Result<tl::expected<FoundRepository, Response>> FindNamed(Call& call, Right right, RepositoryKind kind,
                                                          const FullName& name) {
  auto found = TRY(call.hub().repositories().Find(call.actor, kind, name.owner, name.name));
  if (!found) return tl::unexpected(Refuse(Verdict::kNotFound, name.owner + "/" + name.name, ""));
  if (auto refusal = call.Refusal(right, *found)) return tl::unexpected(*std::move(refusal));
  return *std::move(found);
}

json::object Made(const Call& call, const Repository& repository) {
  return {{"url", RepositoryUrl(call.request, repository)},
          {"name", repository.FullName()},
          {"id", ObjectId(repository.id)}};
}

// Clients that were told exist_ok read "url".
Response AlreadyThere(const Call& call, RepositoryKind kind, const Target& target, const std::string& name,
                      const Error& error) {
  const std::string full = target.name + "/" + name;
  return Json(json::object{{"error", error.message}, {"url", RepositoryUrl(call.request, kind, full)}, {"name", full}},
              Status::kConflict)
      .With("X-Error-Message", error.message);
}

Result<Response> Create(Call& call) {
  const json::object body = TRY(ParseObject(call.body));
  std::string name = TRY(NeedString(body, "name"));
  std::string owner = TRY(FindString(body, "organization")).value_or(call.actor.name);
  if (name.find('/') != std::string::npos) {
    FullName full = TRY(SplitName(name));
    owner = std::move(full.owner);
    name = std::move(full.name);
  }
  const RepositoryKind kind = TRY(KindOf(body));
  const auto target = TRY(FindTarget(call, owner));
  if (!target) return target.error();
  auto created = call.hub().repositories().Create(
      call.actor, {.kind = kind,
                   .owner_id = target->id,
                   .owner = target->name,
                   .name = name,
                   .is_private = TRY(IsPrivate(body)).value_or(target->private_by_default),
                   .license = TRY(FindString(body, "license")).value_or(""),
                   .space_sdk = TRY(FindString(body, "sdk")).value_or("")});
  if (!created && created.error().code == ErrorCode::kAlreadyExists) {
    return AlreadyThere(call, kind, *target, name, created.error());
  }
  return Json(Made(call, TRY(std::move(created))));
}

Result<Response> Delete(Call& call) {
  const json::object body = TRY(ParseObject(call.body));
  const std::string name = TRY(NeedString(body, "name"));
  const FullName full = name.find('/') != std::string::npos
                            ? TRY(SplitName(name))
                            : FullName{TRY(FindString(body, "organization")).value_or(call.actor.name), name};
  const auto found = TRY(FindNamed(call, Right::kDelete, TRY(KindOf(body)), full));
  if (!found) return found.error();
  TRY(call.hub().repositories().Delete(call.actor, found->repository));
  return Json(json::object());
}

Result<Response> Move(Call& call) {
  const json::object body = TRY(ParseObject(call.body));
  const RepositoryKind kind = TRY(KindOf(body));
  const FullName from = TRY(SplitName(TRY(NeedString(body, "fromRepo"))));
  const FullName to = TRY(SplitName(TRY(NeedString(body, "toRepo"))));
  const auto found = TRY(FindNamed(call, Right::kMove, kind, from));
  if (!found) return found.error();
  const auto target = TRY(FindTarget(call, to.owner));
  if (!target) return target.error();
  const Repository moved =
      TRY(call.hub().repositories().Move(call.actor, found->repository, target->id, target->name, to.name));
  return Json(Made(call, moved));
}

Result<Response> Duplicate(Call& call) {
  const json::object body = TRY(ParseObject(call.body));
  const FullName to = TRY(SplitName(TRY(NeedString(body, "repository"))));
  const auto target = TRY(FindTarget(call, to.owner));
  if (!target) return target.error();
  const Repository& source = call.repository();
  auto made = call.hub().repositories().Duplicate(
      call.actor, source,
      {.kind = source.kind,
       .owner_id = target->id,
       .owner = target->name,
       .name = to.name,
       // A copy of what is private does not become public by itself.
       .is_private = TRY(IsPrivate(body)).value_or(source.is_private || target->private_by_default),
       .license = "",
       .space_sdk = ""});
  if (!made && made.error().code == ErrorCode::kAlreadyExists) {
    return AlreadyThere(call, source.kind, *target, to.name, made.error());
  }
  return Json(Made(call, TRY(std::move(made))));
}

Result<std::optional<Gating>> GatingOf(const json::object& body) {
  const json::value* value = body.if_contains("gated");
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (value->is_bool() && !value->get_bool()) return Gating::kNone;
  if (value->is_string() && value->get_string() == "auto") return Gating::kAutomatic;
  if (value->is_string() && value->get_string() == "manual") return Gating::kManual;
  return Fail(ErrorCode::kInvalidArgument, "key \"gated\": expected \"auto\", \"manual\" or false");
}

Result<Response> Change(Call& call) {
  const json::object body = TRY(ParseObject(call.body));
  const RepositorySettings settings = {
      .is_private = TRY(IsPrivate(body)), .gating = TRY(GatingOf(body)), .disabled = {}};
  TRY(call.hub().repositories().Change(call.actor, call.repository(), settings));
  return Json(json::object{{"private", settings.is_private.value_or(call.repository().is_private)}});
}

Result<Response> Allowed(Call&) { return Json(json::object()); }

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(repositories)(Routes& routes) {
  routes.Add(Method::kPost, "/api/repos/create", Right::kIdentify, Create);
  routes.Add(Method::kDelete, "/api/repos/delete", Right::kIdentify, Delete);
  routes.Add(Method::kPost, "/api/repos/move", Right::kIdentify, Move);
  routes.Repository(Method::kPost, "/duplicate", Right::kReadContent, Duplicate);
  routes.Repository(Method::kPut, "/settings", Right::kChangeSettings, Change);
  routes.Repository(Method::kGet, "/auth-check", Right::kReadContent, Allowed);
  routes.Repository(Method::kGet, "/auth-check/write", Right::kWriteContent, Allowed);
}
