// One repository's folder of the cache, as who downloads into it sees it; laid out and locked as Python's clients do it
// (huggingface_hub 2.4, file_download.py), who may write there at the same time.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/answers.h"
#include "client/hub_cache.h"

namespace bothy::client {

// Holds the lock of one content among processes, until it is destroyed.
class ContentLock {
 public:
  explicit ContentLock(int fd) : fd_(fd) {}
  ~ContentLock();
  ContentLock(ContentLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ContentLock& operator=(ContentLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

 private:
  int fd_;
};

class RepositoryCache {
 public:
  RepositoryCache(const HubCache& cache, const HubName& name);

  std::filesystem::path BlobPath(const RemoteFile& file) const { return folder_ / "blobs" / file.etag(); }
  // Never "ETAG.incomplete": older Python clients take what they find of that name for a beginning to go on from.
  std::filesystem::path PartialPath(const RemoteFile& file) const {
    return folder_ / "blobs" / (file.etag() + ".bothy.incomplete");
  }
  std::filesystem::path SnapshotPath(const std::string& commit) const { return folder_ / "snapshots" / commit; }
  std::filesystem::path FilePath(const std::string& commit, const RemoteFile& file) const {
    return SnapshotPath(commit) / file.path;
  }

  // Whether the commit's file is there, and of the right size.
  bool HasFile(const std::string& commit, const RemoteFile& file) const;
  bool HasBlob(const RemoteFile& file) const;

  // Of what an earlier try has left of a file; 0 where it has left nothing.
  uint64_t BytesOfPartial(const RemoteFile& file) const;

  // Makes the folders that downloads are written to.
  Result<void> Prepare() const;

  // Waits for who has the lock: `waiting` is called before, and then often; its error ends the wait.
  Result<ContentLock> Lock(const RemoteFile& file, const std::function<Result<void>()>& waiting) const;

  // Gives the blob its name in the commit.
  Result<void> Link(const std::string& commit, const RemoteFile& file) const;

  // A branch's or tag's commit.
  Result<void> SetRef(const std::string& revision, const std::string& commit) const;

  // The files of a commit, as a client has kept them; nothing where none has, or nothing sound.
  std::optional<std::vector<RemoteFile>> ReadTree(const std::string& commit) const;
  Result<void> WriteTree(const std::string& commit, const std::vector<RemoteFile>& files) const;

 private:
  const std::filesystem::path root_, folder_, locks_;
};

}  // namespace bothy::client
