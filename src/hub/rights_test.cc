#include "hub/rights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/testing.h"
#include "store/database/testing.h"

namespace bothy {
namespace {

using enum Right;

// The documented rules, written out: what each right gives to
//   nobody, a stranger,
//   an organization's reader, contributor, the contributor who made the repository, writer, admin,
//   the user whose namespace it is, an administrator
// who come with a session: A allowed, U who are you (401), F forbidden (403), N not found (404).
// Then whether a read and a write token will do where a session would, and the permission of a fine-grained token.
struct Expectation {
  Right right;
  std::string_view in_public;
  std::string_view in_private;
  std::string_view tokens;  // "rw", "w", "": those that will do
  std::string_view permission;
};
constexpr Expectation kOnRepositories[] = {
    {kSee, "AAAAAAAAA", "NNAAAAAAA", "rw", "repo.content.read"},
    {kReadContent, "AAAAAAAAA", "NNAAAAAAA", "rw", "repo.content.read"},
    {kAskForAccess, "UAAAAAAAA", "NNAAAAAAA", "w", ""},
    {kDiscuss, "UAAAAAAAA", "NNAAAAAAA", "w", "discussion.write"},
    {kCreatePullRequest, "UAAAAAAAA", "NNAAAAAAA", "w", "discussion.write"},
    {kWriteContent, "UFFFAAAAA", "NNFFAAAAA", "w", "repo.write"},
    {kUnlockOthers, "UFFFFFAAA", "NNFFFFAAA", "w", "repo.write"},
    {kReadAccessRequests, "UFFFAAAAA", "NNFFAAAAA", "rw", "repo.access.read"},
    {kManageAccessRequests, "UFFFAAAAA", "NNFFAAAAA", "w", "repo.write"},
    {kChangeSettings, "UFFFAAAAA", "NNFFAAAAA", "w", "repo.write"},
    {kMove, "UFFFAAAAA", "NNFFAAAAA", "w", "repo.write"},
    {kDelete, "UFFFAAAAA", "NNFFAAAAA", "w", "repo.write"},
};
constexpr Expectation kOnNamespaces[] = {
    {kListRepositories, "UFAAAAAAA", "", "rw", "repo.content.read"},
    {kReadOrganization, "UFAAAAAAA", "", "rw", "org.read"},
    {kCreateRepository, "UFFAAAAAA", "", "w", "repo.write"},
    {kManageOrganization, "UFFFFFAAA", "", "w", "org.write"},
    {kDeleteOrganization, "UFFFFFAAA", "", "w", ""},
};
constexpr Expectation kOnHub[] = {
    {kBrowse, "AAAAAAAAA", "", "rw", "any"},   {kIdentify, "UAAAAAAAA", "", "rw", "any"},
    {kManageAccount, "UAAAAAAAA", "", "", ""}, {kCreateOrganization, "UAAAAAAAA", "", "w", ""},
    {kAdminister, "UFFFFFFFA", "", "w", ""},
};

enum Who { kNobody, kStranger, kReader, kContributor, kCreator, kWriter, kAdmin, kOwner, kAdministrator };
constexpr std::string_view kWho[] = {"nobody", "stranger", "reader", "contributor",  "creator",
                                     "writer", "admin",    "owner",  "administrator"};

constexpr int64_t kUserId = 10, kOtherId = 11, kOrganizationId = 20, kRepositoryId = 30, kOtherRepositoryId = 31;

NamespaceFacts NamespaceOf(Who who) {
  switch (who) {
    case kReader: return {kOrganizationId, OrganizationRole::kRead};
    case kContributor:
    case kCreator: return {kOrganizationId, OrganizationRole::kContributor};
    case kWriter: return {kOrganizationId, OrganizationRole::kWrite};
    case kAdmin: return {kOrganizationId, OrganizationRole::kAdmin};
    case kOwner: return {kUserId, {}};
    default: return {kOtherId, {}};
  }
}

// A credential, and in words of its own what it is good for.
struct Credential {
  std::string name;
  Actor actor;
  std::string_view tokens;  // which of the expectation's tokens it is; "" for a session
  std::vector<std::string> permissions, only_in_public;
  bool reads_gated = false;

  bool fine_grained() const { return tokens == "f"; }
};

Actor ActorWith(Actor::Credential credential, TokenRole role = TokenRole::kRead, const TokenScopes& scopes = {}) {
  return {.credential = credential, .user_id = kUserId, .name = "ada", .token_role = role, .scopes = scopes};
}

TokenScopes ScopesOf(std::string_view entity, int64_t id, std::string_view permission, std::string_view rest = "") {
  const auto scopes = ReadTokenScopes(
      fmt::format(R"({{"scoped":[{{"entity":{{"_id":"{:024x}","type":"{}"}},"permissions":["{}"]}}]{}}})", id, entity,
                  permission, rest));
  EXPECT_OK(scopes);
  return scopes ? *scopes : TokenScopes{};
}

std::vector<Credential> CredentialsFor(const NamespaceFacts& owner) {
  const auto fine = [](const TokenScopes& scopes) {
    return ActorWith(Actor::Credential::kToken, TokenRole::kFineGrained, scopes);
  };
  std::vector<Credential> all = {
      {"session", ActorWith(Actor::Credential::kSession), "", {}, {}, false},
      {"read token", ActorWith(Actor::Credential::kToken, TokenRole::kRead), "r", {}, {}, false},
      {"write token", ActorWith(Actor::Credential::kToken, TokenRole::kWrite), "w", {}, {}, false},
      {"fine-grained token for nothing", fine({}), "f", {}, {}, false},
  };
  for (const std::string permission :
       {"repo.content.read", "repo.access.read", "repo.write", "discussion.write", "org.read", "org.write"}) {
    all.push_back(
        {permission + " on the namespace", fine(ScopesOf("org", owner.id, permission)), "f", {permission}, {}, false});
    all.push_back({permission + " on the repository",
                   fine(ScopesOf("model", kRepositoryId, permission)),
                   "f",
                   {permission, "repository only"},
                   {},
                   false});
    all.push_back({permission + " on another repository",
                   fine(ScopesOf("model", kOtherRepositoryId, permission)),
                   "f",
                   {},
                   {},
                   false});
    all.push_back({permission + " on another namespace", fine(ScopesOf("org", 99, permission)), "f", {}, {}, false});
    all.push_back({permission + " on a repository with the namespace's number",
                   fine(ScopesOf("model", owner.id, permission)),
                   "f",
                   {},
                   {},
                   false});
  }
  const TokenScopes gated = ScopesOf("org", 99, "org.read", R"(,"canReadGatedRepos":true)");
  all.push_back({"gated repositories", fine(gated), "f", {}, {}, true});
  const TokenScopes global = ScopesOf("org", 99, "org.read", R"(,"global":["discussion.write"])");
  all.push_back({"discussions everywhere", fine(global), "f", {}, {"discussion.write"}, false});
  return all;
}

bool Holds(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool WillDo(const Credential& credential, const Expectation& expected, bool is_private) {
  if (credential.tokens.empty()) return true;
  if (!credential.fine_grained()) return expected.tokens.find(credential.tokens) != std::string_view::npos;
  return expected.permission == "any" || Holds(credential.permissions, expected.permission) ||
         (!is_private && Holds(credential.only_in_public, expected.permission));
}

// Everybody with every credential; nobody has none.
template <class Function>
void ForEveryActor(const Function& function) {
  for (int i = kNobody; i <= kAdministrator; i++) {
    const Who who = static_cast<Who>(i);
    const NamespaceFacts owner = NamespaceOf(who);
    if (who == kNobody) {
      function(who, owner, Credential{"nothing", {}, "", {}, {}, false});
      continue;
    }
    for (Credential credential : CredentialsFor(owner)) {
      credential.actor.administrator = who == kAdministrator;
      function(who, owner, credential);
    }
  }
}

char Letter(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAllowed: return 'A';
    case Verdict::kNotFound: return 'N';
    case Verdict::kUnauthenticated: return 'U';
    case Verdict::kForbidden: return 'F';
    case Verdict::kGatedUnauthenticated: return 'u';
    case Verdict::kGatedForbidden: return 'g';
    case Verdict::kDisabled: return 'd';
    case Verdict::kMirror: return 'm';
  }
  return '?';
}

char ExpectedOnRepository(const Expectation& expected, Who who, const Credential& credential,
                          const RepositoryFacts& repository) {
  const char by_table = (repository.is_private ? expected.in_private : expected.in_public)[who];
  if (by_table == 'N') return 'N';
  if (repository.is_private && credential.fine_grained() && credential.permissions.empty()) return 'N';
  if (repository.disabled && who != kAdministrator) return 'd';
  if (by_table != 'A') return by_table;
  const bool of_the_original = expected.right == kCreatePullRequest || expected.right == kWriteContent ||
                               expected.right == kChangeSettings || expected.right == kMove;
  const char allowed = repository.mirror && of_the_original ? 'm' : 'A';
  const bool anyone_may = !repository.is_private && expected.in_public[kNobody] == 'A';
  if (!anyone_may && !WillDo(credential, expected, repository.is_private)) return 'F';
  if (repository.gating == Gating::kNone) return allowed;
  if (expected.right != kReadContent && expected.right != kCreatePullRequest) return allowed;
  if (who == kNobody) return 'u';
  if (who == kStranger && repository.access != AccessRequest::kAccepted) return 'g';
  if (credential.fine_grained() && !credential.reads_gated && !Holds(credential.permissions, "repo.content.read")) {
    return 'g';
  }
  return allowed;
}

TEST(Rights, OnRepositoriesAreAsDocumentedForEveryActorAndEveryVisibility) {
  size_t decisions = 0;
  ForEveryActor([&](Who who, const NamespaceFacts& owner, const Credential& credential) {
    for (const bool is_private : {false, true}) {
      for (const bool disabled : {false, true}) {
        for (const Gating gating : {Gating::kNone, Gating::kAutomatic, Gating::kManual}) {
          for (const AccessRequest access :
               {AccessRequest::kNone, AccessRequest::kPending, AccessRequest::kAccepted, AccessRequest::kRejected}) {
            if (who == kNobody && access != AccessRequest::kNone) continue;
            for (const bool mirror : {false, true}) {
              const RepositoryFacts repository = {.id = kRepositoryId,
                                                  .owner = owner,
                                                  .creator_id = who == kCreator ? kUserId : kOtherId,
                                                  .is_private = is_private,
                                                  .gating = gating,
                                                  .access = access,
                                                  .disabled = disabled,
                                                  .mirror = mirror};
              for (const Expectation& expected : kOnRepositories) {
                decisions++;
                EXPECT_EQ(Letter(Decide(credential.actor, expected.right, repository)),
                          ExpectedOnRepository(expected, who, credential, repository))
                    << AllRules()[static_cast<size_t>(expected.right)].name << ": " << kWho[who] << " with "
                    << credential.name << ", private " << is_private << ", gating " << static_cast<int>(gating)
                    << ", access " << static_cast<int>(access) << ", disabled " << disabled << ", mirror " << mirror;
              }
            }
          }
        }
      }
    }
  });
  EXPECT_GT(decisions, 100'000u);
}

TEST(Rights, OnNamespacesAreAsDocumentedForEveryActor) {
  ForEveryActor([&](Who who, const NamespaceFacts& owner, const Credential& credential) {
    for (const Expectation& expected : kOnNamespaces) {
      char letter = expected.in_public[who];
      const bool on_namespace = !Holds(credential.permissions, "repository only");
      if (letter == 'A' && (!WillDo(credential, expected, true) || !on_namespace)) letter = 'F';
      EXPECT_EQ(Letter(Decide(credential.actor, expected.right, owner)), letter)
          << AllRules()[static_cast<size_t>(expected.right)].name << ": " << kWho[who] << " with " << credential.name;
    }
  });
}

TEST(Rights, OnTheHubAreAsDocumentedForEveryActor) {
  ForEveryActor([&](Who who, const NamespaceFacts&, const Credential& credential) {
    for (const Expectation& expected : kOnHub) {
      char letter = expected.in_public[who];
      if (letter == 'A' && !WillDo(credential, expected, true)) letter = 'F';
      EXPECT_EQ(Letter(Decide(credential.actor, expected.right)), letter)
          << AllRules()[static_cast<size_t>(expected.right)].name << ": " << kWho[who] << " with " << credential.name;
    }
  });
}

// The columns that AddSeen reads, without the rest of the tables.
constexpr Migration kTables[] = {
    {1, "0001_memberships", "1", "CREATE TABLE memberships (organization_id BIGINT NOT NULL, user_id BIGINT NOT NULL)"},
    {2, "0002_repositories", "2",
     "CREATE TABLE repositories (id BIGINT NOT NULL PRIMARY KEY, namespace_id BIGINT NOT NULL, private BOOLEAN NOT "
     "NULL,"
     " disabled BOOLEAN NOT NULL)"},
};

class SeenRepositories : public DatabaseTest {};
BOTHY_ON_BOTH_DATABASES(SeenRepositories);

TEST_P(SeenRepositories, AreThoseThatTheActorMaySee) {
  const auto database = Open(kTables);
  ASSERT_NE(database, nullptr);
  size_t seen = 0, hidden = 0;
  ForEveryActor([&](Who who, const NamespaceFacts& owner, const Credential& credential) {
    // The namespace in question and one with which the actor has nothing to do, with every kind of repository each.
    std::vector<RepositoryFacts> repositories;
    for (const NamespaceFacts& in : {owner, NamespaceFacts{99, {}}}) {
      for (int i = 0; i < 4; i++) {
        const int64_t id = in.id == owner.id ? kRepositoryId : 130;
        repositories.push_back({.id = id + i, .owner = in, .is_private = i < 2, .disabled = i % 2 != 0 && i > 2});
      }
    }
    std::vector<int64_t> expected;
    for (const RepositoryFacts& repository : repositories) {
      if (Decide(credential.actor, kSee, repository) == Verdict::kAllowed) expected.push_back(repository.id);
    }
    seen += expected.size();
    hidden += repositories.size() - expected.size();
    const auto found = database->Write([&](Transaction& t) -> Result<std::vector<int64_t>> {
      TRY(t.Execute("DELETE FROM memberships"));
      TRY(t.Execute("DELETE FROM repositories"));
      if (owner.role) TRY(t.Execute("INSERT INTO memberships VALUES ($1, $2)", owner.id, kUserId));
      for (const RepositoryFacts& repository : repositories) {
        TRY(t.Execute("INSERT INTO repositories VALUES ($1, $2, $3, $4)", repository.id, repository.owner.id,
                      repository.is_private, repository.disabled));
      }
      Statement list("SELECT id FROM repositories WHERE TRUE");
      AddSeen(credential.actor, list);
      return t.Query<int64_t>(list.Add(" ORDER BY id"));
    });
    ASSERT_OK(found);
    EXPECT_EQ(*found, expected) << kWho[who] << " with " << credential.name;
  });
  EXPECT_GT(seen, 500u);
  EXPECT_GT(hidden, 500u);
}

TEST(Rights, AreAllInTheWalk) {
  std::vector<Right> walked;
  for (const Expectation& expected : kOnHub) walked.push_back(expected.right);
  for (const Expectation& expected : kOnNamespaces) walked.push_back(expected.right);
  for (const Expectation& expected : kOnRepositories) walked.push_back(expected.right);
  ASSERT_EQ(walked.size(), kRights);
  for (size_t i = 0; i < kRights; i++) {
    EXPECT_EQ(walked[i], AllRules()[i].right);
    EXPECT_EQ(AllRules()[i].right, static_cast<Right>(i));
  }
}

}  // namespace
}  // namespace bothy
