#include "hub/organizations.h"

#include <algorithm>
#include <iterator>

#include "hub/names.h"
#include "hub/namespaces.h"

namespace bothy {
namespace {

constexpr std::string_view kRoleNames[] = {"read", "contributor", "write", "admin"};  // as OrganizationRole

Result<OrganizationRole> StoredRole(std::string_view name) {
  const auto role = FindOrganizationRole(name);
  if (!role) return Fail(ErrorCode::kCorrupt, "the database holds an unknown role: \"{}\"", name);
  return *role;
}

Result<Organization> OrganizationById(Transaction& t, int64_t id) {
  auto row = TRY((t.QueryOne<std::string, std::string, bool, Timestamp>(
      "SELECT n.name, n.full_name, o.private_by_default, n.created_at "
      "FROM organizations o JOIN namespaces n ON n.id = o.id WHERE o.id = $1",
      id)));
  if (!row) return Fail(ErrorCode::kNotFound, "there is no such organization");
  auto& [name, full_name, private_by_default, created_at] = *row;
  return Organization{id, std::move(name), std::move(full_name), private_by_default, created_at};
}

Result<std::string> UserName(Transaction& t, int64_t id) {
  auto name =
      TRY(t.QueryOne<std::string>("SELECT n.name FROM users u JOIN namespaces n ON n.id = u.id WHERE u.id = $1", id));
  if (!name) return Fail(ErrorCode::kNotFound, "there is no such user");
  return *std::move(name);
}

Result<std::optional<OrganizationRole>> RoleOf(Transaction& t, int64_t organization_id, int64_t user_id) {
  const auto name = TRY(t.QueryOne<std::string>(
      "SELECT role FROM memberships WHERE organization_id = $1 AND user_id = $2", organization_id, user_id));
  if (!name) return std::nullopt;
  return TRY(StoredRole(*name));
}

Result<void> PutMember(Transaction& t, int64_t organization_id, int64_t user_id, OrganizationRole role, Timestamp now) {
  TRY(
      t.Execute("INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT (organization_id, user_id) DO UPDATE SET role = EXCLUDED.role",
                organization_id, user_id, OrganizationRoleName(role), now));
  return {};
}

// An organization may begin without an admin, but does not lose its last one.
Result<void> CheckAnotherAdmin(Transaction& t, const Organization& organization, int64_t user_id) {
  const auto admins = TRY(t.Query<int64_t>(
      "SELECT user_id FROM memberships WHERE organization_id = $1 AND role = 'admin' AND user_id <> $2 LIMIT 1",
      organization.id, user_id));
  if (admins.empty()) {
    return Fail(ErrorCode::kFailedPrecondition, "\"{}\" would be left without an admin", organization.name);
  }
  return {};
}

}  // namespace

std::string_view OrganizationRoleName(OrganizationRole role) { return kRoleNames[static_cast<size_t>(role)]; }

std::optional<OrganizationRole> FindOrganizationRole(std::string_view name) {
  const auto found = std::ranges::find(kRoleNames, name);
  if (found == std::end(kRoleNames)) return std::nullopt;
  return static_cast<OrganizationRole>(found - std::begin(kRoleNames));
}

Result<Organization> Organizations::Create(const NewOrganization& organization, const Cause& cause) {
  return database_.Write([&](Transaction& t) -> Result<Organization> {
    const Timestamp now = clock_();
    const Namespace added =
        TRY(AddNamespace(t, organization.name, NamespaceKind::kOrganization, organization.full_name, now));
    TRY(t.Execute("INSERT INTO organizations (id, private_by_default) VALUES ($1, $2)", added.id,
                  organization.private_by_default));
    TRY(Record(t, now, cause, AuditAction::kOrganizationCreated, added.name));
    for (const NewOrganization::Member& member : organization.members) {
      const auto user = TRY(FindNamespace(t, member.user));
      if (!user || user->kind != NamespaceKind::kUser) {
        return Fail(ErrorCode::kNotFound, "there is no user \"{}\"", member.user);
      }
      TRY(PutMember(t, added.id, user->id, member.role, now));
      TRY(Record(t, now, cause, AuditAction::kMemberSet, added.name,
                 fmt::format("{} {}", user->name, OrganizationRoleName(member.role))));
    }
    return OrganizationById(t, added.id);
  });
}

Result<Organization> Organizations::Find(std::string_view name) const {
  return database_.Read([&](Transaction& t) -> Result<Organization> {
    const auto found = TRY(FindNamespace(t, name));
    if (!found) return Fail(ErrorCode::kNotFound, "there is no such organization");
    return OrganizationById(t, found->id);
  });
}

Result<void> Organizations::Change(int64_t id, const Changes& changes, const Cause& cause) {
  if (changes.full_name) TRY(CheckFullName(*changes.full_name));
  return database_.Write([&](Transaction& t) -> Result<void> {
    const Organization organization = TRY(OrganizationById(t, id));
    if (changes.full_name) {
      TRY(t.Execute("UPDATE namespaces SET full_name = $1 WHERE id = $2",
                    changes.full_name->empty() ? organization.name : *changes.full_name, id));
    }
    if (changes.private_by_default) {
      TRY(t.Execute("UPDATE organizations SET private_by_default = $1 WHERE id = $2", *changes.private_by_default, id));
    }
    return Record(t, clock_(), cause, AuditAction::kOrganizationChanged, organization.name);
  });
}

Result<void> Organizations::Delete(int64_t id, const Cause& cause) {
  return database_.Write([&](Transaction& t) -> Result<void> {
    const Organization organization = TRY(OrganizationById(t, id));
    TRY(RemoveNamespace(t, {.id = id, .name = organization.name}));
    return Record(t, clock_(), cause, AuditAction::kOrganizationDeleted, organization.name);
  });
}

Result<void> Organizations::SetMember(int64_t id, int64_t user_id, OrganizationRole role, const Cause& cause) {
  return database_.Write([&](Transaction& t) -> Result<void> {
    const Organization organization = TRY(OrganizationById(t, id));
    const std::string user = TRY(UserName(t, user_id));
    const auto before = TRY(RoleOf(t, id, user_id));
    if (before == role) return {};
    if (before == OrganizationRole::kAdmin) TRY(CheckAnotherAdmin(t, organization, user_id));
    if (!before) {
      const auto memberships = TRY(t.QueryOne<int64_t>("SELECT COUNT(*) FROM memberships WHERE user_id = $1", user_id));
      if (memberships >= kMaxMemberships) {
        return Fail(ErrorCode::kResourceExhausted, "\"{}\" is in {} organizations already", user, kMaxMemberships);
      }
    }
    const Timestamp now = clock_();
    TRY(PutMember(t, id, user_id, role, now));
    return Record(t, now, cause, AuditAction::kMemberSet, organization.name,
                  fmt::format("{} {}", user, OrganizationRoleName(role)));
  });
}

Result<void> Organizations::RemoveMember(int64_t id, int64_t user_id, const Cause& cause) {
  return database_.Write([&](Transaction& t) -> Result<void> {
    const Organization organization = TRY(OrganizationById(t, id));
    const std::string user = TRY(UserName(t, user_id));
    const auto before = TRY(RoleOf(t, id, user_id));
    if (!before) return Fail(ErrorCode::kNotFound, "\"{}\" is no member of \"{}\"", user, organization.name);
    if (*before == OrganizationRole::kAdmin) TRY(CheckAnotherAdmin(t, organization, user_id));
    TRY(t.Execute("DELETE FROM memberships WHERE organization_id = $1 AND user_id = $2", id, user_id));
    return Record(t, clock_(), cause, AuditAction::kMemberRemoved, organization.name, user);
  });
}

Result<std::vector<Member>> Organizations::Members(int64_t id, int64_t after, int64_t limit) const {
  return database_.Read([&](Transaction& t) -> Result<std::vector<Member>> {
    std::vector<Member> members;
    for (auto& [user_id, name, full_name, role] : TRY((t.Query<int64_t, std::string, std::string, std::string>(
             "SELECT m.user_id, n.name, n.full_name, m.role FROM memberships m JOIN namespaces n ON n.id = m.user_id "
             "WHERE m.organization_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3",
             id, after, limit)))) {
      members.push_back({user_id, std::move(name), std::move(full_name), TRY(StoredRole(role))});
    }
    return members;
  });
}

Result<std::vector<Membership>> Organizations::Of(int64_t user_id) const {
  return database_.Read([&](Transaction& t) -> Result<std::vector<Membership>> {
    std::vector<Membership> memberships;
    for (auto& [id, name, full_name, private_by_default, created_at, role] :
         TRY((t.Query<int64_t, std::string, std::string, bool, Timestamp, std::string>(
             "SELECT n.id, n.name, n.full_name, o.private_by_default, n.created_at, m.role FROM memberships m "
             "JOIN organizations o ON o.id = m.organization_id JOIN namespaces n ON n.id = o.id "
             "WHERE m.user_id = $1 ORDER BY n.key LIMIT $2",
             user_id, kMaxMemberships)))) {
      memberships.push_back(
          {{id, std::move(name), std::move(full_name), private_by_default, created_at}, TRY(StoredRole(role))});
    }
    return memberships;
  });
}

Result<NamespaceFacts> FactsOn(Transaction& transaction, const Actor& actor, int64_t namespace_id) {
  NamespaceFacts facts = {.id = namespace_id, .role = std::nullopt};
  if (!actor.IsNobody()) facts.role = TRY(RoleOf(transaction, namespace_id, actor.user_id));
  return facts;
}

}  // namespace bothy
