// A hub made anew from a snapshot of backup.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/doctor.h"
#include "hub/hub.h"
#include "hub/snapshots.h"

namespace bothy {

struct RestoreOptions {
  std::filesystem::path folder;  // of backups
  std::string snapshot;          // its name; empty: the latest
  // `data` must not be there or be an empty folder. `database` is for a snapshot of PostgreSQL: an empty one, with a
  // search path that begins with the schema that the backed-up one had. A snapshot of SQLite goes into `data`.
  HubOptions hub;
  // Every chunk of content is compared with its hash on the way.
  bool verify = true;
  // "checking", "database", "content" and "repositories" as in BackupOptions, then as in DoctorOptions.
  std::function<bool(std::string_view what, uint64_t done, uint64_t total)> progress{};
};

struct RestoreReport {
  Snapshot snapshot;
  std::vector<std::string> dropped;  // made or being deleted while the backup was made, and so in no folder of it
  Diagnosis diagnosis;               // of the restored hub: what bothy doctor --quick --repair says
};

// All or nothing, but for one thing: where PostgreSQL was filled before something failed, the message says so.
// kCorrupt names the file that is missing or damaged.
Result<RestoreReport> Restore(const RestoreOptions& options, const std::function<void(const Finding&)>& found);

}  // namespace bothy
