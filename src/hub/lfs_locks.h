// Locks on files of a repository, which git-lfs keeps to: who has one asks the others not to change the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/actor.h"
#include "hub/clock.h"
#include "hub/repository.h"
#include "store/database/database.h"

namespace bothy {

struct LfsLock {
  int64_t id = 0;
  std::string path;
  int64_t user_id = 0;
  std::string owner;  // the user's name
  Timestamp locked_at;

  bool operator==(const LfsLock&) const = default;
};

struct LfsLockFilter {
  std::optional<std::string> path;
  std::optional<int64_t> id;
  int64_t after = 0;  // those whose id is above
  int64_t limit = 0;  // at most kMaxPage; 0 is that
};

class LfsLocks {  // Safe to use from several threads.
 public:
  static constexpr int64_t kMaxPage = 100;
  static constexpr int64_t kMaxLocks = 100'000;  // of one repository

  explicit LfsLocks(Database& database) : database_(database) {}

  struct Made {
    LfsLock lock;
    bool is_new = false;  // else somebody, perhaps the same user, has it already
  };
  // kInvalidArgument for a path that no repository can hold, kResourceExhausted for too many locks.
  Result<Made> Lock(const Repository& repository, const Actor& actor, const std::string& path, Timestamp now);

  // In the order of their ids.
  Result<std::vector<LfsLock>> List(const Repository& repository, const LfsLockFilter& filter) const;

  // Whether it was there.
  Result<bool> Unlock(const Repository& repository, int64_t id);

 private:
  Database& database_;
};

}  // namespace bothy
