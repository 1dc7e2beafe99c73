// What is in the local cache and how much of the disk it takes; and how to free it again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "client/hub_cache.h"

namespace bothy {

// Which bytes on which disk: several files of several revisions may be the same.
using BlobId = std::pair<uint64_t, uint64_t>;  // device, inode

struct CachedFile {
  std::string name;  // a path in the repository
  uint64_t size = 0;
  BlobId blob;
  bool broken = false;  // a link to nothing
};

struct CachedRevision {
  std::string commit;
  std::vector<std::string> refs;  // branches and tags that are this commit
  std::vector<CachedFile> files;
  uint64_t size = 0;     // each blob once
  int64_t modified = 0;  // seconds since 1970: of its newest file
};

struct CachedRepository {
  HubName name;
  std::filesystem::path folder;
  std::vector<CachedRevision> revisions;  // the newest first
  uint64_t size = 0;                      // all it takes, each blob once
  uint64_t unused = 0;                    // of that: downloads that were broken off, and blobs that no revision has
  int64_t modified = 0;
};

// Repositories sorted by type and name. A cache that does not exist is empty.
Result<std::vector<CachedRepository>> ListCache(const HubCache& cache);

// One repository; kNotFound where it is not in the cache.
Result<CachedRepository> ReadCachedRepository(const HubCache& cache, const HubName& name);

// What is to be deleted, in an order that leaves a sound cache wherever it is broken off: links before what they lead
// to.
struct CacheRemoval {
  std::vector<std::filesystem::path> folders;  // with all that is in them
  std::vector<std::filesystem::path> files;
  std::vector<std::filesystem::path> folders_if_empty;
  uint64_t freed = 0;                     // bytes that no other revision holds
  std::vector<std::string> descriptions;  // a line for each name: what of it goes
};

// Plans the removal of whole repositories ("ns/name"), revisions ("ns/name@v1") and files or quantizations
// ("ns/name:Q4_K_M"). Content that another revision has stays.
Result<CacheRemoval> PlanRemoval(const HubCache& cache, const std::vector<HubName>& names);

// Deletes. What is gone already is no error; the first that cannot be deleted ends it.
Result<void> Remove(const CacheRemoval& removal);

}  // namespace bothy
