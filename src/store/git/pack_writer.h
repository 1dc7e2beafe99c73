// Writes one pack and its index (git's Documentation/gitformat-pack.txt, version 2): many objects for the price of
// three fsyncs, where libgit2's own pack builder would want every object in the database first. Internal to store/git.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/digest.h"
#include "store/git/objects.h"

namespace bothy::git {

class PackWriter {
 public:
  // Writes to a temporary file in `folder` (objects/pack).
  static Result<std::unique_ptr<PackWriter>> Create(const std::filesystem::path& folder);
  ~PackWriter();  // removes the temporary files unless Finish has succeeded
  PackWriter(const PackWriter&) = delete;
  PackWriter& operator=(const PackWriter&) = delete;

  // Each oid once.
  Result<void> Add(ObjectKind kind, const Oid& oid, std::string_view bytes);
  size_t size() const { return entries_.size(); }

  // On disk, durable and visible to every reader. The index comes last: a pack without one is nothing to git.
  Result<void> Finish();

 private:
  struct Entry {
    Oid oid;
    uint32_t crc = 0;
    uint64_t offset = 0;
  };

  PackWriter(std::filesystem::path folder, std::filesystem::path temporary, int fd);
  Result<void> Append(std::string_view bytes);
  Result<void> FlushBuffer();
  Result<Digest160> SumOfFile();
  Result<void> WriteIndex(const std::filesystem::path& path, const Digest160& pack_sum);
  tl::unexpected<Error> SystemError(std::string_view doing) const;

  std::filesystem::path folder_;
  std::filesystem::path temporary_;
  int fd_;
  std::string buffer_;
  uint64_t offset_ = 0;  // where the next byte goes
  std::vector<Entry> entries_;
};

}  // namespace bothy::git
