#include "base/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace bothy {
namespace {

class FileSource final : public ByteSource {
 public:
  FileSource(std::string name, uint64_t size, int fd) : ByteSource(std::move(name), size), fd_(fd) {}
  ~FileSource() override { close(fd_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

 private:
  Result<void> ReadRange(uint64_t offset, std::span<std::byte> out) const override {
    while (!out.empty()) {
      const ssize_t n = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Fail(ErrorCode::kInternal, "{}: offset {}: {}", name(), offset, std::strerror(errno));
      if (n == 0)
        return Fail(ErrorCode::kCorrupt, "{}: became shorter than {} bytes while it was read", name(), size());
      offset += static_cast<uint64_t>(n);
      out = out.subspan(static_cast<size_t>(n));
    }
    return {};
  }

  int fd_;
};

class BytesInMemory final : public ByteSource {
 public:
  BytesInMemory(std::string name, std::vector<std::byte> bytes)
      : ByteSource(std::move(name), bytes.size()), bytes_(std::move(bytes)) {}

 private:
  Result<void> ReadRange(uint64_t offset, std::span<std::byte> out) const override {
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }

  std::vector<std::byte> bytes_;
};

}  // namespace

Result<void> ByteSource::Read(uint64_t offset, std::span<std::byte> out) const {
  if (offset > size_ || out.size() > size_ - offset) {
    return Fail(ErrorCode::kOutOfRange, "{}: offset {}: expected {} more bytes, the file ends at {}", name_, offset,
                out.size(), size_);
  }
  return ReadRange(offset, out);
}

Result<std::string> ByteSource::ReadAll(uint64_t limit) const {
  if (size_ > limit) {
    return Fail(ErrorCode::kResourceExhausted, "{}: {} bytes, at most {} are read of such a file", name_, size_, limit);
  }
  std::string text(static_cast<size_t>(size_), '\0');
  TRY(Read(0, std::as_writable_bytes(std::span(text))));
  return text;
}

Result<std::unique_ptr<ByteSource>> OpenFile(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const ErrorCode code = errno == ENOENT                      ? ErrorCode::kNotFound
                           : errno == EACCES                    ? ErrorCode::kPermissionDenied
                           : errno == EMFILE || errno == ENFILE ? ErrorCode::kResourceExhausted
                                                                : ErrorCode::kInternal;
    return Fail(code, "{}: {}", path.string(), std::strerror(errno));
  }
  struct stat info{};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    return Fail(ErrorCode::kInvalidArgument, "{}: not a regular file", path.string());
  }
  return std::make_unique<FileSource>(path.string(), static_cast<uint64_t>(info.st_size), fd);
}

std::unique_ptr<ByteSource> MemorySource(std::string name, std::vector<std::byte> bytes) {
  return std::make_unique<BytesInMemory>(std::move(name), std::move(bytes));
}

std::unique_ptr<ByteSource> MemorySource(std::string name, std::string_view bytes) {
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  return MemorySource(std::move(name), std::vector<std::byte>(data, data + bytes.size()));
}

}  // namespace bothy
