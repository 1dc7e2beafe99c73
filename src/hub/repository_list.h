// Repositories in lists: those that an actor may see, a page at a time, the last changed first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/actor.h"
#include "hub/repository.h"
#include "store/database/database.h"

namespace bothy {

// Where a page ends, and so where the next begins. As text in addresses: "1764299147000.17".
struct RepositoryListCursor {
  Timestamp updated_at;
  int64_t id = 0;

  static Result<RepositoryListCursor> Parse(std::string_view text);
  std::string ToString() const;
};

struct RepositoryQuery {
  static constexpr int64_t kMaxLimit = 1000;

  std::optional<RepositoryKind> kind{};
  std::string owner{};   // a namespace, in any case; empty: all
  std::string search{};  // a part of "owner/name", in any case
  std::optional<RepositoryListCursor> after{};
  int64_t limit = kMaxLimit;
};

Result<std::vector<Repository>> ListRepositories(Database& database, const Actor& actor, const RepositoryQuery& query);

}  // namespace bothy
