// Organizations and who is in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/actor.h"
#include "hub/audit_log.h"
#include "hub/clock.h"
#include "hub/repository_facts.h"
#include "store/database/database.h"

namespace bothy {

std::string_view OrganizationRoleName(OrganizationRole role);  // "admin", "write", "contributor", "read"
std::optional<OrganizationRole> FindOrganizationRole(std::string_view name);

struct Organization {
  int64_t id = 0;  // also of the namespace
  std::string name;
  std::string full_name;
  bool private_by_default = false;  // of new repositories that do not say
  Timestamp created_at;

  bool operator==(const Organization&) const = default;
};

struct NewOrganization {
  struct Member {
    std::string user;  // the name
    OrganizationRole role;
  };

  std::string name;
  std::string full_name;  // empty: the name
  bool private_by_default = false;
  std::vector<Member> members;
};

struct Member {
  int64_t user_id = 0;
  std::string name;
  std::string full_name;
  OrganizationRole role = OrganizationRole::kRead;

  bool operator==(const Member&) const = default;
};

struct Membership {
  Organization organization;
  OrganizationRole role = OrganizationRole::kRead;

  bool operator==(const Membership&) const = default;
};

class Organizations {  // Safe to use from several threads.
 public:
  Organizations(Database& database, Clock clock) : database_(database), clock_(std::move(clock)) {}

  Result<Organization> Create(const NewOrganization& organization, const Cause& cause);

  // kNotFound where there is none; whatever the case of `name`.
  Result<Organization> Find(std::string_view name) const;

  struct Changes {
    std::optional<std::string> full_name;
    std::optional<bool> private_by_default;
  };
  Result<void> Change(int64_t id, const Changes& changes, const Cause& cause);

  // kFailedPrecondition while it owns repositories.
  Result<void> Delete(int64_t id, const Cause& cause);

  // Adds a member, or gives one another role. kFailedPrecondition where that would leave it without an admin.
  Result<void> SetMember(int64_t id, int64_t user_id, OrganizationRole role, const Cause& cause);
  Result<void> RemoveMember(int64_t id, int64_t user_id, const Cause& cause);

  // The first `limit` whose user_id is above `after`, in the order of ids.
  Result<std::vector<Member>> Members(int64_t id, int64_t after, int64_t limit) const;

  // Those that a user is in, by name; at most kMaxMemberships.
  Result<std::vector<Membership>> Of(int64_t user_id) const;
  static constexpr int64_t kMaxMemberships = 1000;

 private:
  Database& database_;
  const Clock clock_;
};

// What Decide (rights.h) needs to know of a namespace.
Result<NamespaceFacts> FactsOn(Transaction& transaction, const Actor& actor, int64_t namespace_id);

}  // namespace bothy
