// The large files of a repository's history, listed and removed for good.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hub/actor.h"
#include "hub/repositories.h"

namespace bothy {

struct ListedLargeFile {
  std::string sha256;
  uint64_t size = 0;
  std::string path;  // where it was met first
  std::string ref;
  Timestamp added_at;
};

// In the order of their hashes, after `after` ("": from the first); as many as `limit`.
Result<std::vector<ListedLargeFile>> ListLargeFiles(Database& database, const Repository& repository,
                                                    const std::string& after, int64_t limit);

struct LargeFileRemoval {
  static constexpr size_t kMaxFiles = 10'000;

  std::vector<std::string> sha256s;  // of what is not there nothing is done
  // Makes all commits anew without the files; otherwise they stay in them, without their content.
  bool rewrite_history = true;
};

// The repository refers to them no more, so that what nobody else refers to is collected. kUnavailable while anybody
// writes there, and for writers meanwhile.
Result<void> RemoveLargeFiles(Repositories& repositories, const Actor& actor, const Repository& repository,
                              const LargeFileRemoval& removal);

}  // namespace bothy
