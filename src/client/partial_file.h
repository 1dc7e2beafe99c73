// A file on its way: parts of it are written in any order, and what has been written is known after a crash.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/error.h"

namespace bothy::client {

// On the disk: the content, then for each part four bytes that say how much of it is there, from its beginning on, then
// a mark. Bytes come before the number that counts them, so that whoever is killed loses nothing that was counted; a
// loss of power may, which the hash of the whole tells. Safe to use from several threads.
class PartialFile {
 public:
  static constexpr uint64_t kPartBytes = 16 << 20;

  // What an earlier try has left at `path`, or a new one.
  static Result<std::unique_ptr<PartialFile>> Open(const std::filesystem::path& path, uint64_t size);
  // The bytes that an earlier try has left; the file stays as it is.
  static uint64_t BytesOf(const std::filesystem::path& path, uint64_t size);

  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  uint64_t size() const { return size_; }
  size_t parts() const { return reached_.size(); }
  uint64_t PartBegin(size_t part) const { return part * kPartBytes; }
  uint64_t PartEnd(size_t part) const { return std::min(size_, (part + 1) * kPartBytes); }

  uint64_t Reached(size_t part) const;  // an offset in the file
  uint64_t BytesThere() const;
  bool Complete() const { return BytesThere() == size_; }

  Result<void> Write(uint64_t offset, std::span<const std::byte> bytes);
  // All from the beginning of `from`'s part to `offset`, which may lie in a later part, has been written; the number of
  // bytes of which that was news.
  Result<uint64_t> SetReached(size_t from, uint64_t offset);

  // Fills `out` with what is there; for who checks it.
  Result<void> Read(uint64_t offset, std::span<std::byte> out) const;

  // Brings the content to the disk and gives it its name. Nothing else may be called afterwards.
  Result<void> Finish(const std::filesystem::path& path);
  // Removes it.
  void Discard();

 private:
  PartialFile(std::filesystem::path path, int fd, uint64_t size);
  Result<bool> ReadState();
  Result<void> Begin();
  Result<void> WriteAt(uint64_t offset, std::span<const std::byte> bytes);
  tl::unexpected<Error> SystemError(std::string_view doing) const;

  const std::filesystem::path path_;
  int fd_;
  const uint64_t size_;
  mutable std::mutex mutex_;
  std::vector<uint32_t> reached_;  // of each part, from its beginning
};

}  // namespace bothy::client
