// What happened to accounts and rights: who logged in, made tokens, changed members. Never holds a secret.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/actor.h"
#include "store/database/database.h"

namespace bothy {

enum class AuditAction : uint8_t {
  kLogin,
  kLoginFailed,
  kUserCreated,
  kUserDeleted,
  kUserDisabled,
  kUserEnabled,
  kAdministratorMade,
  kAdministratorUnmade,
  kPasswordChanged,
  kOrganizationCreated,
  kOrganizationChanged,
  kOrganizationDeleted,
  kMemberSet,  // added, or given another role
  kMemberRemoved,
  kTokenCreated,
  kTokenRevoked,
  kRefreshTokenReused,
  kDeviceApproved,
  kDeviceDenied,
  kRepositoryCreated,
  kRepositoryDeleted,
  kRepositoryMoved,
  kRepositoryChanged,  // visibility, gating
  kAccessDecided,      // a request for access, or a grant
};

std::string_view AuditActionName(AuditAction action);  // "token.create"
std::optional<AuditAction> FindAuditAction(std::string_view name);

// On whose behalf something is done, and from where.
struct Cause {
  int64_t actor_id = 0;  // 0: nobody, or the hub's operator on the command line
  std::string actor;     // their name
  std::string address;   // of the client; "" for the command line

  static Cause By(const Actor& actor, std::string_view address) {
    return {actor.user_id, actor.name, std::string(address)};
  }
  static Cause Operator() { return {0, "operator", ""}; }

  bool operator==(const Cause&) const = default;
};

struct AuditEvent {
  int64_t id = 0;
  Timestamp created_at;
  std::string action;
  Cause cause;
  std::string target;  // the name of the user, the organization, the repository
  std::string detail;  // "role write"

  bool operator==(const AuditEvent&) const = default;
};

// In the transaction of what happened, so that neither is kept without the other.
Result<void> Record(Transaction& transaction, Timestamp now, const Cause& cause, AuditAction action,
                    std::string_view target, std::string_view detail = "");

struct AuditFilter {
  std::optional<AuditAction> action;
  std::optional<int64_t> actor_id;
  std::optional<std::string> target;
  std::optional<int64_t> before;  // the id of the last event of the page before
  int64_t limit = 100;
};

class AuditLog {
 public:
  explicit AuditLog(Database& database) : database_(database) {}

  // The newest first.
  Result<std::vector<AuditEvent>> List(const AuditFilter& filter) const;

  // How many were older than `time`, and are gone.
  Result<int64_t> RemoveBefore(Timestamp time);

 private:
  Database& database_;
};

}  // namespace bothy
