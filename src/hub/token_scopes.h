// What a fine-grained token may do, and the JSON in which it is stored and shown by whoami-v2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace bothy {

// Called as the hub's page of tokens calls them.
enum class Permission : uint32_t {
  kReadRepositories = 1 << 0,    // repo.content.read
  kReadAccessRequests = 1 << 1,  // repo.access.read
  kWriteRepositories = 1 << 2,   // repo.write
  kWriteDiscussions = 1 << 3,    // discussion.write: also pull requests
  kReadOrganization = 1 << 4,    // org.read
  kWriteOrganization = 1 << 5,   // org.write
};

class Permissions {
 public:
  constexpr Permissions() = default;
  constexpr Permissions(Permission one) : bits_(static_cast<uint32_t>(one)) {}
  static constexpr Permissions All() { return Permissions(~uint32_t{0}); }

  constexpr bool Has(Permission one) const { return (bits_ & static_cast<uint32_t>(one)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr Permissions operator|(Permissions other) const { return Permissions(bits_ | other.bits_); }
  constexpr bool operator==(const Permissions&) const = default;

 private:
  explicit constexpr Permissions(uint32_t bits) : bits_(bits) {}

  uint32_t bits_ = 0;
};
constexpr Permissions operator|(Permission a, Permission b) { return Permissions(a) | Permissions(b); }

enum class ScopeKind { kUser, kOrganization, kModel, kDataset, kSpace, kKernel };

// Permissions on a namespace with all repositories in it, or on one repository. They go with the number, so that they
// follow a rename and never fall to a newcomer with the old name.
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
  Permissions global;                    // on all public repositories
  bool read_gated_repositories = false;  // the public ones into which the user was let

  Permissions OnNamespace(int64_t namespace_id) const;
  Permissions OnRepository(int64_t namespace_id, int64_t repository_id) const;

  bool operator==(const TokenScopes&) const = default;
};

inline constexpr size_t kMaxTokenScopes = 200;             // in one token
inline constexpr size_t kMaxTokenScopesBytes = 256 << 10;  // of its JSON

// {"canReadGatedRepos":true,"global":["discussion.write"],
//  "scoped":[{"entity":{"_id":"24 hex digits","type":"model","name":"ada/demo"},"permissions":["repo.write"]}]}
std::string WriteTokenScopes(const TokenScopes& scopes);

// Members that are missing are empty. kInvalidArgument for a permission or a kind of thing that Bothy does not know:
// a token must not look as if it could do what it cannot.
Result<TokenScopes> ReadTokenScopes(std::string_view text);

}  // namespace bothy
