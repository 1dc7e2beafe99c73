// Copies of whole repositories, beside whoever writes to them: for backups.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.h"

namespace bothy::git {

struct CopiedRepository {
  uint64_t files = 0;
  uint64_t bytes = 0;
  uint64_t new_bytes = 0;  // those that were written: the others are shared with the earlier copy
};

// Copies a bare repository to `to`, which must not be there: its refs as they are now, and every object that they lead
// to. Refs are read before objects, which are only ever added or moved into other packs, so none is missing. Objects
// that the copy `earlier` has (empty: there is none) are hard links to it where its file system can do that, as no
// object ever changes. Not durable before SyncFileSystem. kNotFound where there is no repository (any more).
Result<CopiedRepository> CopyRepository(const std::filesystem::path& from, const std::filesystem::path& to,
                                        const std::filesystem::path& earlier = {});

}  // namespace bothy::git
