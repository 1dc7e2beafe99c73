#include "hub/rights.h"

#include <algorithm>
#include <ranges>

#include "base/error.h"

namespace bothy {
namespace {

using enum Right;
using enum Standing;
using Subject = Rule::Subject;

constexpr std::optional<Permission> kNever = std::nullopt;
constexpr TokenNeed kAnyToken = TokenNeed::kAny;
constexpr TokenNeed kReading = TokenNeed::kRead;
constexpr TokenNeed kWriting = TokenNeed::kWrite;
constexpr TokenNeed kNoToken = TokenNeed::kNone;
constexpr bool kGated = true;

// clang-format off
constexpr Rule kRules[] = {
  // right                 name                     subject               standing        token      of a fine-grained token
  {kBrowse,                "browse",                Subject::kHub,        kAnyone,        kAnyToken, kNever},
  {kIdentify,              "identify",              Subject::kHub,        kSignedIn,      kAnyToken, kNever},
  {kManageAccount,         "manage account",        Subject::kHub,        kSignedIn,      kNoToken,  kNever},
  {kCreateOrganization,    "create organization",   Subject::kHub,        kSignedIn,      kWriting,  kNever},
  {kAdminister,            "administer",            Subject::kHub,        kAdministrator, kWriting,  kNever},

  {kListRepositories,      "list repositories",     Subject::kNamespace,  kReader,        kReading,  Permission::kReadRepositories},
  {kReadOrganization,      "read organization",     Subject::kNamespace,  kReader,        kReading,  Permission::kReadOrganization},
  {kCreateRepository,      "create repository",     Subject::kNamespace,  kContributor,   kWriting,  Permission::kWriteRepositories},
  {kManageOrganization,    "manage organization",   Subject::kNamespace,  kOwner,         kWriting,  Permission::kWriteOrganization},
  {kDeleteOrganization,    "delete organization",   Subject::kNamespace,  kOwner,         kWriting,  kNever},

  {kSee,                   "see",                   Subject::kRepository, kAnyone,        kReading,  Permission::kReadRepositories},
  {kReadContent,           "read content",          Subject::kRepository, kAnyone,        kReading,  Permission::kReadRepositories, kGated},
  {kAskForAccess,          "ask for access",        Subject::kRepository, kSignedIn,      kWriting,  kNever},
  {kDiscuss,               "discuss",               Subject::kRepository, kSignedIn,      kWriting,  Permission::kWriteDiscussions},
  {kCreatePullRequest,     "create pull request",   Subject::kRepository, kSignedIn,      kWriting,  Permission::kWriteDiscussions, kGated},
  {kWriteContent,          "write content",         Subject::kRepository, kWriter,        kWriting,  Permission::kWriteRepositories},
  {kUnlockOthers,          "unlock others",         Subject::kRepository, kOwner,         kWriting,  Permission::kWriteRepositories},
  {kReadAccessRequests,    "read access requests",  Subject::kRepository, kWriter,        kReading,  Permission::kReadAccessRequests},
  {kManageAccessRequests,  "manage access requests", Subject::kRepository, kWriter,       kWriting,  Permission::kWriteRepositories},
  {kChangeSettings,        "change settings",       Subject::kRepository, kWriter,        kWriting,  Permission::kWriteRepositories},
  {kMove,                  "move",                  Subject::kRepository, kWriter,        kWriting,  Permission::kWriteRepositories},
  {kDelete,                "delete",                Subject::kRepository, kWriter,        kWriting,  Permission::kWriteRepositories},
};
// clang-format on
static_assert(std::size(kRules) == kRights);
static_assert(std::ranges::equal(kRules, std::views::iota(size_t{0}, kRights), {},
                                 [](const Rule& rule) { return static_cast<size_t>(rule.right); }));

const Rule& RuleOf(Right right, Subject subject) {
  const Rule& rule = kRules[static_cast<size_t>(right)];
  CHECK(rule.subject == subject);
  return rule;
}

// `granted` is what a fine-grained token holds on the thing.
bool TokenSuffices(const Actor& actor, const Rule& rule, Permissions granted) {
  if (actor.credential != Actor::Credential::kToken || rule.token == TokenNeed::kAny) return true;
  switch (actor.token_role) {
    case TokenRole::kRead: return rule.token == TokenNeed::kRead;
    case TokenRole::kWrite: return rule.token != TokenNeed::kNone;
    case TokenRole::kFineGrained: return rule.permission && granted.Has(*rule.permission);
  }
  return false;
}

// `open`: what anyone may do needs no token's permission, because without the token it could be done too.
Verdict Decide(const Actor& actor, const Rule& rule, Standing standing, Permissions granted, bool open) {
  if (rule.standing == kAnyone && open) return Verdict::kAllowed;
  if (actor.IsNobody()) return Verdict::kUnauthenticated;
  if (standing < rule.standing || !TokenSuffices(actor, rule, granted)) return Verdict::kForbidden;
  return Verdict::kAllowed;
}

Standing StandingOn(const Actor& actor, const RepositoryFacts& repository) {
  const Standing standing = bothy::StandingOn(actor, repository.owner);
  if (standing == kContributor && repository.creator_id == actor.user_id) return kWriter;
  return standing;
}

bool HasPassedGate(const Actor& actor, const RepositoryFacts& repository, Standing standing, Permissions granted) {
  if (repository.gating == Gating::kNone) return true;
  if (standing < kReader && repository.access != AccessRequest::kAccepted) return false;
  return !actor.IsFineGrained() || actor.scopes.read_gated_repositories || granted.Has(Permission::kReadRepositories);
}

// What a mirror takes over from its original.
bool IsOfTheOriginal(Right right) {
  return right == kCreatePullRequest || right == kWriteContent || right == kChangeSettings || right == kMove;
}

}  // namespace

std::span<const Rule, kRights> AllRules() { return kRules; }

Standing StandingOn(const Actor& actor, const NamespaceFacts& owner) {
  if (actor.IsNobody()) return kAnyone;
  if (actor.administrator) return kAdministrator;
  if (owner.id == actor.user_id) return kOwner;
  if (!owner.role) return kSignedIn;
  switch (*owner.role) {
    case OrganizationRole::kRead: return kReader;
    case OrganizationRole::kContributor: return kContributor;
    case OrganizationRole::kWrite: return kWriter;
    case OrganizationRole::kAdmin: return kOwner;
  }
  return kSignedIn;
}

Verdict Decide(const Actor& actor, Right right) {
  const Rule& rule = RuleOf(right, Subject::kHub);
  const Standing standing = actor.IsNobody() ? kAnyone : actor.administrator ? kAdministrator : kSignedIn;
  return Decide(actor, rule, standing, {}, true);
}

Verdict Decide(const Actor& actor, Right right, const NamespaceFacts& owner) {
  const Rule& rule = RuleOf(right, Subject::kNamespace);
  return Decide(actor, rule, StandingOn(actor, owner), actor.scopes.OnNamespace(owner.id), true);
}

Verdict Decide(const Actor& actor, Right right, const RepositoryFacts& repository) {
  const Rule& rule = RuleOf(right, Subject::kRepository);
  const Standing standing = StandingOn(actor, repository);
  Permissions granted = actor.scopes.OnRepository(repository.owner.id, repository.id);
  if (repository.is_private) {
    if (standing < kReader || (actor.IsFineGrained() && granted.empty())) return Verdict::kNotFound;
  } else {
    granted = granted | actor.scopes.global;
  }
  if (repository.disabled && standing < kAdministrator) return Verdict::kDisabled;
  const Verdict verdict = Decide(actor, rule, standing, granted, !repository.is_private);
  if (verdict == Verdict::kAllowed && rule.gated && !HasPassedGate(actor, repository, standing, granted)) {
    return actor.IsNobody() ? Verdict::kGatedUnauthenticated : Verdict::kGatedForbidden;
  }
  if (verdict == Verdict::kAllowed && repository.mirror && IsOfTheOriginal(right)) return Verdict::kMirror;
  return verdict;
}

void AddSeen(const Actor& actor, Statement& statement) {
  if (actor.administrator && !actor.IsFineGrained()) return;
  if (!actor.administrator) statement.Add(" AND NOT repositories.disabled");
  statement.Add(" AND (NOT repositories.private");
  if (!actor.IsNobody()) {
    statement.Add(" OR (TRUE");
    if (!actor.administrator) {
      statement.Add(
          " AND (repositories.namespace_id = $1"
          " OR repositories.namespace_id IN (SELECT organization_id FROM memberships WHERE user_id = $1))",
          actor.user_id);
    }
    if (actor.IsFineGrained()) {
      statement.Add(" AND (FALSE");
      for (const TokenScope& scope : actor.scopes.scoped) {
        if (!scope.permissions.Has(Permission::kReadRepositories)) continue;
        if (scope.IsNamespace()) {
          statement.Add(" OR repositories.namespace_id = $1", scope.id);
        } else {
          statement.Add(" OR repositories.id = $1", scope.id);
        }
      }
      statement.Add(")");
    }
    statement.Add(")");
  }
  statement.Add(")");
}

}  // namespace bothy
