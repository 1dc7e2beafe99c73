// A repository as the database knows it.
#pragma once

#include <cstdint>
#include <string>

#include "hub/repository_facts.h"
#include "hub/repository_kind.h"
#include "store/database/value.h"

namespace bothy {

struct Repository {
  int64_t id = 0;
  RepositoryKind kind = RepositoryKind::kModel;
  int64_t owner_id = 0;  // of its namespace
  std::string owner;
  std::string name;
  bool is_private = false;
  Gating gating = Gating::kNone;
  bool disabled = false;
  int64_t creator_id = 0;  // 0 where that user is gone
  Timestamp created_at;
  Timestamp updated_at;
  std::string folder;     // below the folder of all git repositories
  std::string mirror_of;  // the address of the original; "" where this is one

  std::string FullName() const { return owner + "/" + name; }
};

// With what the rights of the actor who asked depend on.
struct FoundRepository {
  Repository repository;
  RepositoryFacts facts;
  bool moved = false;  // it was asked for by a name that it had before
};

}  // namespace bothy
