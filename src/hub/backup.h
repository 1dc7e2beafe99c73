// Backups of the hub, beside a server that goes on working, into a folder whose snapshots share what did not change.
//
// A snapshot is consistent by the order in which it is made: first each repository (its refs before its objects), then
// the database, then the blobs that the database names, while nothing is collected (DataLockKind::kRemoval). Rows of
// content come before refs, and blobs before their rows, so whatever a ref of the snapshot leads to is in it. Only a
// repository that is made, moved or deleted meanwhile may be in one and not in the other: restore.h settles that.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/hub.h"
#include "hub/snapshots.h"

namespace bothy {

struct BackupOptions {
  std::filesystem::path folder;  // made where it is missing; on any file system, but not in the hub's folder of data
  uint64_t keep = 0;             // so many snapshots, the latest ones; 0: all
  // What is being copied, and how much of it: "repositories", or bytes of the "database" and of "content". False gives
  // up (kCancelled).
  std::function<bool(std::string_view what, uint64_t done, uint64_t total)> progress{};
};

struct BackupReport {
  Snapshot snapshot;
  std::vector<std::string> missing;  // repositories whose folder is not there, as bothy doctor says, too
  uint64_t removed_snapshots = 0;
  uint64_t removed_bytes = 0;  // of blobs that no snapshot needs any more
};

// All or nothing: what was copied of blobs is kept for the next try. kUnavailable while another backup or a collection
// is under way. kCorrupt where content is missing or damaged, which bothy doctor --repair has to look after first.
Result<BackupReport> MakeBackup(Hub& hub, const BackupOptions& options);

}  // namespace bothy
