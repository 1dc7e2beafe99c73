// Copies of files that are as durable as their originals: for backups.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/error.h"

namespace bothy {

// Bytes copied so far, of all; false gives up (kCancelled).
using CopyProgress = std::function<bool(uint64_t done, uint64_t total)>;

// Copies a regular file to a name that nothing has; its permissions come with it. Where the file system can, both share
// their blocks. kNotFound where `from` is not there, kAlreadyExists where `to` is. The number of bytes. After a failure
// nothing is at `to`.
Result<uint64_t> CopyFile(const std::filesystem::path& from, const std::filesystem::path& to,
                          const CopyProgress& progress = {});

// Brings everything written to the file system of `path` to its disk: many small files for the price of one.
Result<void> SyncFileSystem(const std::filesystem::path& path);

}  // namespace bothy
