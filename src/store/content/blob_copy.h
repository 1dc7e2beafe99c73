// Bringing the blobs of a content store to another store, and back: for backups.
#pragma once

#include <cstdint>
#include <functional>

#include "base/error.h"
#include "store/blobs/blob_store.h"
#include "store/database/database.h"

namespace bothy::content {

struct BlobCopyOptions {
  // Each chunk is compared with its hash on the way. Without, only the sizes of blobs are.
  bool verify = true;
  // Told of each blob, whether it was copied or there before.
  std::function<Result<void>(const BlobName& name, uint64_t size)> each{};
  // Bytes of blobs done, of all. False gives up.
  std::function<bool(uint64_t done, uint64_t total)> progress{};
};

struct CopiedBlobs {
  uint64_t blobs = 0, bytes = 0;
  uint64_t new_blobs = 0, new_bytes = 0;  // those that were not there before
};

// Copies the blobs of all xorbs that are whole by the database, from one store to another that may have some of them.
// kCorrupt where one is missing or is not what its hash says; what was copied before it stays. Nothing may be collected
// meanwhile.
Result<CopiedBlobs> CopyBlobs(Database& database, const BlobStore& from, BlobStore& to,
                              const BlobCopyOptions& options = {});

}  // namespace bothy::content
