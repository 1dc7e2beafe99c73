#include "hub/repository_rows.h"

#include <array>
#include <utility>

#include "hub/organizations.h"

namespace bothy {
namespace {

constexpr int64_t kPage = 1000;  // rows at once

template <class T, size_t n>
using Names = std::array<std::pair<std::string_view, T>, n>;

constexpr Names<Gating, 3> kGatings = {
    {{"false", Gating::kNone}, {"auto", Gating::kAutomatic}, {"manual", Gating::kManual}}};
constexpr Names<AccessRequest, 3> kAccessRequests = {{{"pending", AccessRequest::kPending},
                                                      {"accepted", AccessRequest::kAccepted},
                                                      {"rejected", AccessRequest::kRejected}}};
template <class T, size_t n>
std::optional<T> ValueOf(const Names<T, n>& names, std::string_view name) {
  for (const auto& [known, value] : names) {
    if (known == name) return value;
  }
  return std::nullopt;
}

template <class T, size_t n>
std::string_view NameOf(const Names<T, n>& names, T value) {
  for (const auto& [name, known] : names) {
    if (known == value) return name;
  }
  return "";
}

template <class T>
Result<T> FromRow(std::optional<T> value, std::string_view name) {
  if (value) return *value;
  return Fail(ErrorCode::kCorrupt, "a row of a repository says \"{}\"", name);
}

}  // namespace

std::string_view GatingName(Gating gating) { return NameOf(kGatings, gating); }
std::optional<Gating> GatingOfName(std::string_view name) { return ValueOf(kGatings, name); }
std::string_view AccessRequestName(AccessRequest status) { return NameOf(kAccessRequests, status); }
std::optional<AccessRequest> AccessRequestOfName(std::string_view name) { return ValueOf(kAccessRequests, name); }

Statement SelectRepositories(const Actor& actor) {
  return Statement(
      "SELECT repositories.id, repositories.kind, namespaces.id, namespaces.name, repositories.name,"
      " repositories.private, repositories.gated, repositories.disabled, repositories.creator_id,"
      " repositories.created_at, repositories.updated_at, repositories.folder, mirrors.address, memberships.role,"
      " access_requests.status"
      " FROM repositories JOIN namespaces ON namespaces.id = repositories.namespace_id"
      " LEFT JOIN memberships ON memberships.organization_id = namespaces.id AND memberships.user_id = $1"
      " LEFT JOIN access_requests ON access_requests.repository_id = repositories.id AND access_requests.user_id = $1"
      " LEFT JOIN mirrors ON mirrors.repository_id = repositories.id"
      " WHERE repositories.state = 'ready'",
      actor.user_id);
}

Result<std::vector<FoundRepository>> QueryRepositories(Transaction& transaction, const Statement& statement) {
  auto rows =
      TRY((transaction.Query<int64_t, std::string, int64_t, std::string, std::string, bool, std::string, bool,
                             std::optional<int64_t>, Timestamp, Timestamp, std::string, std::optional<std::string>,
                             std::optional<std::string>, std::optional<std::string>>(statement)));
  std::vector<FoundRepository> found;
  found.reserve(rows.size());
  for (auto& [id, kind, owner_id, owner, name, is_private, gated, disabled, creator_id, created_at, updated_at, folder,
              original, role, access] : rows) {
    FoundRepository one;
    one.repository = {.id = id,
                      .kind = TRY(FromRow(KindOfName(kind), kind)),
                      .owner_id = owner_id,
                      .owner = std::move(owner),
                      .name = std::move(name),
                      .is_private = is_private,
                      .gating = TRY(FromRow(GatingOfName(gated), gated)),
                      .disabled = disabled,
                      .creator_id = creator_id.value_or(0),
                      .created_at = created_at,
                      .updated_at = updated_at,
                      .folder = std::move(folder),
                      .mirror_of = std::move(original).value_or("")};
    one.facts = {.id = id,
                 .owner = {.id = owner_id},
                 .creator_id = one.repository.creator_id,
                 .is_private = is_private,
                 .gating = one.repository.gating,
                 .disabled = disabled,
                 .mirror = !one.repository.mirror_of.empty()};
    if (role) one.facts.owner.role = TRY(FromRow(FindOrganizationRole(*role), *role));
    if (access) one.facts.access = TRY(FromRow(AccessRequestOfName(*access), *access));
    found.push_back(std::move(one));
  }
  return found;
}

Result<void> ForEachRepository(Database& database, Sql<> condition,
                               const std::function<Result<void>(const Repository&)>& use) {
  for (int64_t last = 0;;) {
    Statement statement = SelectRepositories({});
    statement.Add(condition).Add(" AND repositories.id > $1 ORDER BY repositories.id LIMIT $2", last, kPage);
    const auto found = TRY(database.Read([&](Transaction& t) { return QueryRepositories(t, statement); }));
    if (found.empty()) return {};
    for (const FoundRepository& one : found) TRY(use(one.repository));
    last = found.back().repository.id;
  }
}

Result<void> RecordEvent(Transaction& transaction, Timestamp now, const Repository& repository, int64_t user_id,
                         const RepositoryEvent& event) {
  const std::optional<int64_t> user = user_id == 0 ? std::nullopt : std::optional(user_id);
  TRY(transaction.Execute(
      "INSERT INTO repository_events (created_at, action, repository_id, repository, user_id, ref, old_oid, new_oid)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      now, event.action, repository.id, fmt::format("{}/{}", KindPlural(repository.kind), repository.FullName()), user,
      event.ref, event.old_oid, event.new_oid));
  return {};
}

}  // namespace bothy
