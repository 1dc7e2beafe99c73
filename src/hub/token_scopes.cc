#include "hub/token_scopes.h"

#include <optional>

#include "codec/json.h"
#include "hub/object_id.h"

namespace bothy {
namespace {

struct NamedPermission {
  std::string_view name;
  Permission permission;
};
constexpr NamedPermission kPermissions[] = {
    {"repo.content.read", Permission::kReadRepositories}, {"repo.access.read", Permission::kReadAccessRequests},
    {"repo.write", Permission::kWriteRepositories},       {"discussion.write", Permission::kWriteDiscussions},
    {"org.read", Permission::kReadOrganization},          {"org.write", Permission::kWriteOrganization},
};

struct NamedKind {
  std::string_view name;
  ScopeKind kind;
};
constexpr NamedKind kKinds[] = {
    {"user", ScopeKind::kUser},       {"org", ScopeKind::kOrganization}, {"model", ScopeKind::kModel},
    {"dataset", ScopeKind::kDataset}, {"space", ScopeKind::kSpace},      {"kernel", ScopeKind::kKernel},
};

json::array NamesOf(Permissions permissions) {
  json::array names;
  for (const NamedPermission& known : kPermissions) {
    if (permissions.Has(known.permission)) names.emplace_back(known.name);
  }
  return names;
}

std::string_view NameOf(ScopeKind kind) {
  for (const NamedKind& known : kKinds) {
    if (known.kind == kind) return known.name;
  }
  CHECK(false);
}

Result<Permissions> PermissionsIn(const json::object& from, std::string_view key) {
  Permissions permissions;
  const json::array* names = json::FindArray(from, key);
  if (names == nullptr) return permissions;
  for (const json::value& name : *names) {
    bool found = false;
    for (const NamedPermission& known : kPermissions) {
      if (!name.is_string() || std::string_view(name.get_string()) != known.name) continue;
      permissions = permissions | known.permission;
      found = true;
    }
    if (!found) return Fail(ErrorCode::kInvalidArgument, "no such permission: {}", json::Serialize(name));
  }
  return permissions;
}

Result<ScopeKind> KindNamed(std::string_view name) {
  for (const NamedKind& known : kKinds) {
    if (known.name == name) return known.kind;
  }
  return Fail(ErrorCode::kInvalidArgument, "a token has no permissions on \"{}\"", name);
}

Result<TokenScope> ScopeIn(const json::value& from) {
  const json::object* scope = from.if_object();
  const json::object* entity = scope == nullptr ? nullptr : json::FindObject(*scope, "entity");
  if (entity == nullptr) return Fail(ErrorCode::kInvalidArgument, "a scope without an entity");
  const std::optional<int64_t> id = ParseObjectId(TRY(json::GetString(*entity, "_id")).value_or(""));
  if (!id) return Fail(ErrorCode::kInvalidArgument, "a scope whose entity has no _id");
  return TokenScope{.kind = TRY(KindNamed(TRY(json::GetString(*entity, "type")).value_or(""))),
                    .id = *id,
                    .name = TRY(json::GetString(*entity, "name")).value_or(""),
                    .permissions = TRY(PermissionsIn(*scope, "permissions"))};
}

}  // namespace

Permissions TokenScopes::OnNamespace(int64_t namespace_id) const {
  Permissions permissions;
  for (const TokenScope& scope : scoped) {
    if (scope.IsNamespace() && scope.id == namespace_id) permissions = permissions | scope.permissions;
  }
  return permissions;
}

Permissions TokenScopes::OnRepository(int64_t namespace_id, int64_t repository_id) const {
  Permissions permissions = OnNamespace(namespace_id);
  for (const TokenScope& scope : scoped) {
    if (!scope.IsNamespace() && scope.id == repository_id) permissions = permissions | scope.permissions;
  }
  return permissions;
}

std::string WriteTokenScopes(const TokenScopes& scopes) {
  json::array scoped;
  for (const TokenScope& scope : scopes.scoped) {
    const json::object entity = {{"_id", ObjectId(scope.id)}, {"type", NameOf(scope.kind)}, {"name", scope.name}};
    scoped.push_back(json::object{{"entity", entity}, {"permissions", NamesOf(scope.permissions)}});
  }
  return json::Serialize(json::object{{"canReadGatedRepos", scopes.read_gated_repositories},
                                      {"global", NamesOf(scopes.global)},
                                      {"scoped", std::move(scoped)}});
}

Result<TokenScopes> ReadTokenScopes(std::string_view text) {
  if (text.size() > kMaxTokenScopesBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a token's scopes have at most {} bytes, these have {}",
                kMaxTokenScopesBytes, text.size());
  }
  const json::value root = TRY(json::Parse(text, "scopes"));
  const json::object* object = root.if_object();
  if (object == nullptr) return Fail(ErrorCode::kInvalidArgument, "a token's scopes are no JSON object");
  TokenScopes scopes;
  scopes.read_gated_repositories = TRY(json::GetBool(*object, "canReadGatedRepos")).value_or(false);
  scopes.global = TRY(PermissionsIn(*object, "global"));
  if (const json::array* scoped = json::FindArray(*object, "scoped"); scoped != nullptr) {
    if (scoped->size() > kMaxTokenScopes) {
      return Fail(ErrorCode::kInvalidArgument, "a token has at most {} scopes, this has {}", kMaxTokenScopes,
                  scoped->size());
    }
    for (const json::value& scope : *scoped) scopes.scoped.push_back(TRY(ScopeIn(scope)));
  }
  return scopes;
}

}  // namespace bothy
