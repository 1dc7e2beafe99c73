#include "net/file_slice.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace bothy::net {

Result<std::shared_ptr<const FileHandle>> FileHandle::Open(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const int error = errno;
    return Fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kInternal, "{}: {}", path.string(),
                std::generic_category().message(error));
  }
  return std::make_shared<const FileHandle>(descriptor);
}

FileHandle::~FileHandle() { close(descriptor_); }

Result<uint64_t> FileHandle::Size() const {
  struct stat status{};
  if (fstat(descriptor_, &status) != 0) return Fail(ErrorCode::kInternal, "cannot tell a file's size");
  return static_cast<uint64_t>(status.st_size);
}

uint64_t TotalLength(const std::vector<FileSlice>& slices) {
  uint64_t total = 0;
  for (const FileSlice& slice : slices) total += slice.length;
  return total;
}

std::vector<FileSlice> CutSlices(const std::vector<FileSlice>& slices, ByteRange range) {
  std::vector<FileSlice> part;
  uint64_t position = 0;
  for (const FileSlice& slice : slices) {
    const uint64_t begin = std::max(position, range.first);
    const uint64_t end = std::min(position + slice.length, range.first + range.length);
    if (begin < end) part.push_back({slice.file, slice.offset + (begin - position), end - begin});
    position += slice.length;
  }
  DCHECK(TotalLength(part) == range.length);
  return part;
}

}  // namespace bothy::net
