// Parts of open files, as content that is sent without passing through memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/error.h"
#include "net/conditional.h"

namespace bothy::net {

// An open file. Closed when the last slice of it is gone.
class FileHandle {
 public:
  static Result<std::shared_ptr<const FileHandle>> Open(const std::filesystem::path& path);
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}  // takes it over
  ~FileHandle();
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;

  int descriptor() const { return descriptor_; }
  Result<uint64_t> Size() const;

 private:
  int descriptor_;
};

struct FileSlice {
  std::shared_ptr<const FileHandle> file;
  uint64_t offset = 0;
  uint64_t length = 0;
};

uint64_t TotalLength(const std::vector<FileSlice>& slices);

// The slices that make up `range` of the content that `slices` are; the range must lie inside.
std::vector<FileSlice> CutSlices(const std::vector<FileSlice>& slices, ByteRange range);

}  // namespace bothy::net
