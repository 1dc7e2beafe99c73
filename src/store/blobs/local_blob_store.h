// Blobs as files of a local folder: FOLDER/ab/abcd... under their names, FOLDER/tmp/ for what is being written.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "store/blobs/blob_store.h"

namespace bothy {

struct LocalBlobStoreOptions {
  // What a crashed program has left half-written is removed at the start when nobody has touched it for so long; a
  // living writer's is touched with every piece that it writes.
  std::chrono::seconds leftover_age = std::chrono::hours(24);
};

// Makes the folder where it is missing. Disk full is kResourceExhausted with the folder and what was needed.
Result<std::unique_ptr<BlobStore>> OpenLocalBlobStore(const std::filesystem::path& folder,
                                                      const LocalBlobStoreOptions& options = {});

}  // namespace bothy
