// What a fine-grained token may do, and the JSON in which it is stored and shown by whoami-v2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace bothy {

// Named as the hub's clients and its page of tokens name them.
enum class Permission : uint32_t {
  kReadRepositories = 1 << 0,      // repo.content.read
  kManageAccessRequests = 1 << 1,  // repo.access.read
  kWriteRepositories = 1 << 2,     // repo.write
  kWriteDiscussions = 1 << 3,      // discussion.write
  kReadOrganization = 1 << 4,      // org.read
  kWriteOrganization = 1 << 5,     // org.write
  kReadCollections = 1 << 6,       // collection.read
  kWriteCollections = 1 << 7,      // collection.write
  kReadWebhooks = 1 << 8,          // user.webhooks.read
  kWriteWebhooks = 1 << 9,         // user.webhooks.write
  kInfer = 1 << 10,                // inference.serverless.write
};

class Permissions {
 public:
  constexpr Permissions() = default;
  constexpr Permissions(Permission one) : bits_(static_cast<uint32_t>(one)) {}
  constexpr bool Has(Permission one) const { return (bits_ & static_cast<uint32_t>(one)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr Permissions operator|(Permissions other) const {
    Permissions both;
    both.bits_ = bits_ | other.bits_;
    return both;
  }
  constexpr bool operator==(const Permissions&) const = default;

 private:
  uint32_t bits_ = 0;
};
constexpr Permissions operator|(Permission a, Permission b) { return Permissions(a) | Permissions(b); }

enum class ScopeKind { kUser, kOrganization, kModel, kDataset, kSpace, kKernel };

// Permissions on a namespace (with all repositories in it) or on one repository. It is bound to the number, so that it
// follows a rename and never falls to a newcomer with the old name.
struct TokenScope {
  ScopeKind kind = ScopeKind::kUser;
  int64_t id = 0;    // of the namespace or the repository
  std::string name;  // "ada" or "ada/demo", as it was when the token was made; for people
  Permissions permissions;

  bool IsNamespace() const { return kind == ScopeKind::kUser || kind == ScopeKind::kOrganization; }
  bool operator==(const TokenScope&) const = default;
};

struct TokenScopes {
  std::vector<TokenScope> scoped;
  Permissions global;  // on what belongs to nobody in particular: discussions of any public repository
  bool read_gated_repositories = false;  // the public ones to which the user was granted access

  // On everything in a namespace; on a repository in it.
  Permissions OnNamespace(int64_t namespace_id) const;
  Permissions OnRepository(int64_t namespace_id, int64_t repository_id) const;

  bool operator==(const TokenScopes&) const = default;
};

inline constexpr size_t kMaxTokenScopes = 200;  // in one token

// {"canReadGatedRepos":true,"global":["discussion.write"],
//  "scoped":[{"entity":{"_id":"24 hex digits","type":"model","name":"ada/demo"},"permissions":["repo.write"]}]}
std::string WriteTokenScopes(const TokenScopes& scopes);
Result<TokenScopes> ReadTokenScopes(std::string_view text);

std::string_view PermissionName(Permission permission);
std::optional<Permission> FindPermission(std::string_view name);

}  // namespace bothy
