#include "hub/audit_log.h"

#include <algorithm>
#include <iterator>

namespace bothy {
namespace {

// In the order of AuditAction.
constexpr std::string_view kNames[] = {"login",
                                       "login.fail",
                                       "user.create",
                                       "user.delete",
                                       "user.disable",
                                       "user.enable",
                                       "user.administrator",
                                       "user.no_administrator",
                                       "user.password",
                                       "organization.create",
                                       "organization.change",
                                       "organization.delete",
                                       "member.set",
                                       "member.remove",
                                       "token.create",
                                       "token.revoke",
                                       "token.refresh_reused",
                                       "device.approve",
                                       "device.deny",
                                       "repository.create",
                                       "repository.delete",
                                       "repository.move",
                                       "repository.change",
                                       "access.decide"};
static_assert(std::size(kNames) == static_cast<size_t>(AuditAction::kAccessDecided) + 1);

}  // namespace

std::string_view AuditActionName(AuditAction action) { return kNames[static_cast<size_t>(action)]; }

std::optional<AuditAction> FindAuditAction(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<AuditAction>(found - std::begin(kNames));
}

Result<void> Record(Transaction& transaction, Timestamp now, const Cause& cause, AuditAction action,
                    std::string_view target, std::string_view detail) {
  TRY(transaction.Execute(
      "INSERT INTO audit_events (created_at, event, actor_id, actor, target, detail, address) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
      now, AuditActionName(action), cause.actor_id == 0 ? std::nullopt : std::optional(cause.actor_id), cause.actor,
      target, detail, cause.address));
  return {};
}

Result<std::vector<AuditEvent>> AuditLog::List(const AuditFilter& filter) const {
  Statement list(
      "SELECT id, created_at, event, COALESCE(actor_id, 0), actor, address, target, detail FROM audit_events "
      "WHERE TRUE");
  if (filter.action) list.Add(" AND event = $1", AuditActionName(*filter.action));
  if (filter.actor_id) list.Add(" AND actor_id = $1", *filter.actor_id);
  if (filter.target) list.Add(" AND target = $1", *filter.target);
  if (filter.before) list.Add(" AND id < $1", *filter.before);
  list.Add(" ORDER BY id DESC LIMIT $1", filter.limit);
  return database_.Read([&](Transaction& t) -> Result<std::vector<AuditEvent>> {
    std::vector<AuditEvent> events;
    for (auto& [id, created_at, action, actor_id, actor, address, target, detail] :
         TRY((t.Query<int64_t, Timestamp, std::string, int64_t, std::string, std::string, std::string, std::string>(
             list)))) {
      events.push_back({id, created_at, std::move(action), Cause{actor_id, std::move(actor), std::move(address)},
                        std::move(target), std::move(detail)});
    }
    return events;
  });
}

Result<int64_t> AuditLog::RemoveBefore(Timestamp time) {
  return database_.Write(
      [&](Transaction& t) { return t.Execute("DELETE FROM audit_events WHERE created_at < $1", time); });
}

}  // namespace bothy
