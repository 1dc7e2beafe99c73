// What the rights of an actor on a repository depend on, gathered by whoever looked the repository up.
#pragma once

#include <cstdint>
#include <optional>

namespace bothy {

enum class OrganizationRole {
  kRead,         // reads everything in it
  kContributor,  // and makes repositories, and writes to those that they made
  kWrite,        // and writes to all
  kAdmin,        // and manages the organization and its members
};

enum class Gating {
  kNone,
  kAutomatic,  // asking is enough
  kManual,     // somebody with the right to write lets them in
};

enum class AccessRequest { kNone, kPending, kAccepted, kRejected };

// The repository's namespace, for this actor.
struct NamespaceFacts {
  int64_t id = 0;                        // equal to the actor's user_id where it is their own
  std::optional<OrganizationRole> role;  // of the actor, where it is an organization and they are a member
};

struct RepositoryFacts {
  int64_t id = 0;
  NamespaceFacts owner;
  int64_t creator_id = 0;  // the user who made it; 0 where they are gone
  bool is_private = false;
  Gating gating = Gating::kNone;
  AccessRequest access = AccessRequest::kNone;  // of the actor
  bool disabled = false;                        // closed by an administrator
  bool mirror = false;                          // kept as another hub has it
};

}  // namespace bothy
