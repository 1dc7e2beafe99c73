// Who may do what: one table of everything that can be done (AllRules), and the decision for an actor.
//
//   const Verdict verdict = Decide(actor, Right::kWriteContent, facts);
//   if (verdict != Verdict::kAllowed) ...
//
// A token that is revoked, expired or unknown, and a disabled user, get no actor at all (tokens.h, sessions.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "hub/actor.h"
#include "hub/repository_facts.h"
#include "hub/token_scopes.h"
#include "store/database/statement.h"

namespace bothy {

enum class Right : uint8_t {
  // On the hub.
  kBrowse,              // search, public lists, people's pages
  kIdentify,            // whoami
  kManageAccount,       // one's own password, sessions and tokens; confirming a device's login
  kCreateOrganization,  //
  kAdminister,          // users, jobs, settings of the installation

  // On a user's or an organization's namespace.
  kListRepositories,    // with the private ones and what they use
  kReadOrganization,    // its settings and who is in it with which role
  kCreateRepository,    // also as the target of a move or a copy
  kManageOrganization,  // settings and members
  kDeleteOrganization,

  // On a repository.
  kSee,                   // that it is there: information, names of files, history, discussions
  kReadContent,           // files, by whatever way: resolve, git, LFS, Xet
  kAskForAccess,          // to be let in through the gate
  kDiscuss,               // open discussions, comment
  kCreatePullRequest,     // and push to its ref
  kWriteContent,          // commits, branches, tags, merges; own locks
  kUnlockOthers,          // break a lock of somebody else
  kReadAccessRequests,    // who asked, with what they filled in
  kManageAccessRequests,  // accept, reject, grant
  kChangeSettings,        // visibility, gating
  kMove,                  // the source of it; the target needs kCreateRepository
  kDelete,
};
inline constexpr size_t kRights = static_cast<size_t>(Right::kDelete) + 1;

// What somebody is to the thing in question; each includes those before it.
enum class Standing : uint8_t {
  kAnyone,
  kSignedIn,
  kReader,       // member of the organization
  kContributor,  // member who may make repositories
  kWriter,       // member who may write, or who made this repository
  kOwner,        // it is theirs, or they are the organization's admin
  kAdministrator,
};

// Which tokens will do where a session would.
enum class TokenNeed : uint8_t {
  kAny,    // all, whatever they may do
  kRead,   // all; a fine-grained one with the permission
  kWrite,  // those that may write; a fine-grained one with the permission
  kNone,   // none: the password has to have been given
};

struct Rule {
  enum class Subject : uint8_t { kHub, kNamespace, kRepository };

  Right right;
  std::string_view name;
  Subject subject;
  Standing standing;
  TokenNeed token;
  std::optional<Permission> permission;  // of a fine-grained token; without one such a token will not do
  bool gated = false;                    // only who has passed the repository's gate
};

// In the order of Right.
std::span<const Rule, kRights> AllRules();

enum class Verdict : uint8_t {
  kAllowed,
  kNotFound,         // must not even learn that it is there: the same answer as for what is not
  kUnauthenticated,  // nobody may; somebody might
  kForbidden,
  kGatedUnauthenticated,  // the gate, for nobody
  kGatedForbidden,        // the gate, for somebody who was not let in
  kDisabled,              // closed by an administrator
  kMirror,                // is changed where the original is
};

// The right must be one on such a thing: another is a programmer's error.
Verdict Decide(const Actor& actor, Right right);
Verdict Decide(const Actor& actor, Right right, const NamespaceFacts& owner);
Verdict Decide(const Actor& actor, Right right, const RepositoryFacts& repository);

Standing StandingOn(const Actor& actor, const NamespaceFacts& owner);

// For lists: adds a condition that holds for the rows of `repositories` on which the actor has kSee, but for disabled
// ones, which are left out unless the actor is an administrator. As " AND (...)".
void AddSeen(const Actor& actor, Statement& statement);

}  // namespace bothy
