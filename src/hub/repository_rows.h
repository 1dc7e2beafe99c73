// Rows of repositories and of their events: what the files of this folder that work on repositories share.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/actor.h"
#include "hub/repository.h"
#include "store/database/database.h"

namespace bothy {

// "SELECT ... WHERE repositories.state = 'ready'", to which conditions on `repositories` and `namespaces` may be added.
// For QueryRepositories only, as what it selects is known there.
Statement SelectRepositories(const Actor& actor);
Result<std::vector<FoundRepository>> QueryRepositories(Transaction& transaction, const Statement& statement);

// All ready repositories for which `condition`, which begins with " AND", holds; a page at a time, in the order of
// their ids.
Result<void> ForEachRepository(Database& database, Sql<> condition,
                               const std::function<Result<void>(const Repository&)>& use);

std::string_view GatingName(Gating gating);  // "false", "auto", "manual", as in the database and in JSON
std::optional<Gating> GatingOfName(std::string_view name);
std::string_view AccessRequestName(AccessRequest status);  // "pending", "accepted", "rejected"; "" for kNone
std::optional<AccessRequest> AccessRequestOfName(std::string_view name);

struct RepositoryEvent {
  std::string_view action;  // "create", "delete", "move", "settings", "push"
  std::optional<std::string> ref;
  std::optional<std::string> old_oid;
  std::optional<std::string> new_oid;
};
Result<void> RecordEvent(Transaction& transaction, Timestamp now, const Repository& repository, int64_t user_id,
                         const RepositoryEvent& event);

}  // namespace bothy
