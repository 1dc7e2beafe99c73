// The names of users and organizations, which share one space: what stands before the "/" of a repository's id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/database/database.h"

namespace bothy {

enum class NamespaceKind : uint8_t { kUser, kOrganization };

inline constexpr size_t kMaxFullNameBytes = 200;

struct Namespace {
  int64_t id = 0;
  std::string name;
  NamespaceKind kind = NamespaceKind::kUser;
  std::string full_name;
  Timestamp created_at;

  bool operator==(const Namespace&) const = default;
};

// Whatever the case of `name`.
Result<std::optional<Namespace>> FindNamespace(Transaction& transaction, std::string_view name);

// kInvalidArgument for a name that breaks the rules, kAlreadyExists where it is taken. An empty full name is the name.
Result<Namespace> AddNamespace(Transaction& transaction, std::string_view name, NamespaceKind kind,
                               std::string_view full_name, Timestamp now);

// With the user or the organization. kFailedPrecondition while it owns repositories.
Result<void> RemoveNamespace(Transaction& transaction, const Namespace& gone);

Result<void> CheckFullName(std::string_view full_name);

}  // namespace bothy
