// A folder of backups: its snapshots, and the blobs that they share.
//
//   FOLDER/blobs/                              large content of all snapshots, as it lies in the hub's folder of data
//   FOLDER/snapshots/2026-11-28T06-40-12Z/
//     git/7.git                                bare repositories, by the numbers of their rows, as names may change
//     bothy.db, or postgresql.dump             the database
//     blobs.txt                                "NAME SIZE", a line for each blob that the snapshot needs
//     bothy.toml                               the configuration, where the folder of data had one
//     manifest.json                            what is in it
//   FOLDER/snapshots/2026-11-28T06-40-12Z.part one that is being written or removed, or was when a crash came
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/blobs/blob_name.h"
#include "store/database/database.h"

namespace bothy {

struct Snapshot {
  std::string name;  // the time that it was begun: the names' order is that of time
  Dialect dialect = Dialect::kSqlite;
  uint64_t repositories = 0;
  uint64_t git_bytes = 0;
  uint64_t database_bytes = 0;
  uint64_t blobs = 0;
  uint64_t blob_bytes = 0;
  uint64_t new_bytes = 0;  // of all of these, those that no earlier snapshot had

  uint64_t bytes() const { return git_bytes + database_bytes + blob_bytes; }
};

class SnapshotFolder {
 public:
  explicit SnapshotFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path blobs() const { return folder_ / "blobs"; }
  std::filesystem::path snapshots() const { return folder_ / "snapshots"; }
  std::filesystem::path PathOf(const std::string& name) const { return snapshots() / name; }

  // Of complete ones, the oldest first. None where the folder has never been backed up to.
  Result<std::vector<std::string>> Names() const;
  // kNotFound; kCorrupt where its manifest is damaged, kUnimplemented where a newer Bothy has written it.
  Result<Snapshot> Read(const std::string& name) const;
  // Of a complete snapshot or one that is being written, which lies at `path`.
  static Result<void> WriteManifest(const std::filesystem::path& path, const Snapshot& snapshot);

  // Every blob that the snapshot needs, in no order; kCorrupt where the list is not whole.
  Result<void> ForEachBlob(const Snapshot& snapshot,
                           const std::function<Result<void>(const BlobName&, uint64_t size)>& use) const;

 private:
  std::filesystem::path folder_;
};

// "2026-11-28T06-40-12Z": the time as a file's name, also on file systems that allow no colon.
std::string SnapshotName(Timestamp time);
bool IsSnapshotName(std::string_view name);

std::string_view DatabaseFileName(Dialect dialect);  // "bothy.db"
inline constexpr std::string_view kBlobList = "blobs.txt";
inline constexpr std::string_view kConfigurationFile = "bothy.toml";
std::filesystem::path GitFolderOf(const std::filesystem::path& snapshot, int64_t repository_id);

}  // namespace bothy
