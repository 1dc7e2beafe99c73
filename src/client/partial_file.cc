#include "client/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>

namespace bothy::client {
namespace {

constexpr std::string_view kMark = "bothy partial 1\n";

std::span<const std::byte> AsBytes(const uint32_t& number) { return std::as_bytes(std::span(&number, 1)); }

}  // namespace

PartialFile::PartialFile(std::filesystem::path path, int fd, uint64_t size)
    : path_(std::move(path)), fd_(fd), size_(size), reached_((size + kPartBytes - 1) / kPartBytes) {}

PartialFile::~PartialFile() {
  if (fd_ >= 0) close(fd_);
}

tl::unexpected<Error> PartialFile::SystemError(std::string_view doing) const {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return Fail(full ? ErrorCode::kResourceExhausted : ErrorCode::kInternal, "{}: {}: {}", path_.string(), doing,
              std::strerror(error));
}

Result<std::unique_ptr<PartialFile>> PartialFile::Open(const std::filesystem::path& path, uint64_t size) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  std::unique_ptr<PartialFile> file(new PartialFile(path, fd, size));
  if (fd < 0) return file->SystemError("opening");
  if (!TRY(file->ReadState())) TRY(file->Begin());
  return file;
}

uint64_t PartialFile::BytesOf(const std::filesystem::path& path, uint64_t size) {
  PartialFile file(path, open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW), size);
  if (file.fd_ < 0) return 0;
  const auto is_state = file.ReadState();
  return is_state && *is_state ? file.BytesThere() : 0;
}

// False where what is there is not the state of a file of this size.
Result<bool> PartialFile::ReadState() {
  struct stat status{};
  if (fstat(fd_, &status) != 0) return SystemError("looking at it");
  const uint64_t mark = size_ + reached_.size() * sizeof(uint32_t);
  if (static_cast<uint64_t>(status.st_size) != mark + kMark.size()) return false;
  std::string found(kMark.size(), '\0');
  TRY(Read(mark, std::as_writable_bytes(std::span(found))));
  if (found != kMark) return false;
  TRY(Read(size_, std::as_writable_bytes(std::span(reached_))));
  for (size_t part = 0; part < parts(); part++) {
    if (reached_[part] > PartEnd(part) - PartBegin(part)) return false;
  }
  return true;
}

Result<void> PartialFile::Begin() {
  std::ranges::fill(reached_, 0);
  if (ftruncate(fd_, 0) != 0) return SystemError("emptying");
  TRY(WriteAt(size_, std::as_bytes(std::span(reached_))));
  return WriteAt(size_ + reached_.size() * sizeof(uint32_t), std::as_bytes(std::span(kMark)));
}

uint64_t PartialFile::Reached(size_t part) const {
  const std::lock_guard lock(mutex_);
  return PartBegin(part) + reached_[part];
}

uint64_t PartialFile::BytesThere() const {
  const std::lock_guard lock(mutex_);
  return std::accumulate(reached_.begin(), reached_.end(), uint64_t{0});
}

Result<void> PartialFile::WriteAt(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("writing");
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

Result<void> PartialFile::Write(uint64_t offset, std::span<const std::byte> bytes) {
  CHECK(offset <= size_ && bytes.size() <= size_ - offset);
  return WriteAt(offset, bytes);
}

Result<uint64_t> PartialFile::SetReached(size_t from, uint64_t offset) {
  CHECK(offset <= size_);
  uint64_t news = 0;
  for (size_t part = from; part < parts() && PartBegin(part) < offset; part++) {
    const auto reached = static_cast<uint32_t>(std::min(offset, PartEnd(part)) - PartBegin(part));
    const std::lock_guard lock(mutex_);
    if (reached <= reached_[part]) continue;
    news += reached - reached_[part];
    reached_[part] = reached;
    TRY(WriteAt(size_ + part * sizeof(uint32_t), AsBytes(reached)));
  }
  return news;
}

Result<void> PartialFile::Read(uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t count = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("reading");
    if (count == 0) return Fail(ErrorCode::kInternal, "{}: it has become shorter", path_.string());
    out = out.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

Result<void> PartialFile::Finish(const std::filesystem::path& path) {
  if (ftruncate(fd_, static_cast<off_t>(size_)) != 0) return SystemError("cutting it to its size");
  if (fsync(fd_) != 0) return SystemError("bringing it to the disk");
  if (rename(path_.c_str(), path.c_str()) != 0) return SystemError("giving it its name");
  return {};
}

void PartialFile::Discard() { unlink(path_.c_str()); }

}  // namespace bothy::client
