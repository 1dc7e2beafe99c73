// How much repositories take, and how much those of a namespace may.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "hub/repository.h"
#include "store/database/database.h"

namespace bothy {

struct Usage {
  int64_t large_files = 0;
  int64_t large_bytes = 0;  // of all of the history; what several repositories have counts in each
  int64_t git_bytes = 0;    // of the git repository on the disk, and of the files that came since it was measured

  int64_t bytes() const { return large_bytes + git_bytes; }
  bool operator==(const Usage&) const = default;
};

Result<Usage> UsageOf(Database& database, const Repository& repository);

struct NamespaceUsage {
  std::string name;
  int64_t repositories = 0;
  Usage usage;                   // of all of them
  std::optional<int64_t> quota;  // bytes; nothing: no limit

  bool operator==(const NamespaceUsage&) const = default;
};

// kNotFound where there is no such user or organization.
Result<NamespaceUsage> UsageOfNamespace(Database& database, std::string_view name);
// Of all namespaces, in the order of their ids.
Result<void> ForEachNamespaceUsage(Database& database, const std::function<Result<void>(const NamespaceUsage&)>& use);

// ---- Quotas ----

struct Quota {
  enum class Kind : uint8_t { kDefault, kUnlimited, kBytes };
  Kind kind = Kind::kDefault;  // what all have that have none of their own
  int64_t bytes = 0;           // of kBytes
};

Result<void> SetQuota(Database& database, std::string_view namespace_name, const Quota& quota);
Result<void> SetDefaultQuota(Database& database, std::optional<int64_t> bytes);  // nothing: no limit
Result<std::optional<int64_t>> DefaultQuota(Database& database);

// Whether `more` bytes may come to the namespace's repositories: kPermissionDenied where it would have more than its
// quota. Nothing more always may, so that who has too much can commit what deletes it; one byte asks whether it
// is full.
Result<void> CheckQuota(Database& database, int64_t namespace_id, int64_t more);

// ---- For who changes what is counted ----

// Adds to what is counted of the repository. kPermissionDenied where that is more than the quota allows.
Result<void> AddUsage(Transaction& t, const Repository& repository, const Usage& more);

// Counts the repository's large files anew.
Result<void> CountLargeFiles(Transaction& t, const Repository& repository);

}  // namespace bothy
