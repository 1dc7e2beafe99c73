#include "base/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/system_error.h"

namespace bothy {
namespace {

constexpr size_t kBuffer = 1 << 20;
constexpr int kMaxAttempts = 100;  // at a temporary name that nobody has

}  // namespace

OutputFile::OutputFile(std::filesystem::path path, std::filesystem::path temporary, int fd)
    : name_(path.string()), path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd) {}

OutputFile::~OutputFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_.c_str());
}

Result<std::unique_ptr<OutputFile>> OutputFile::Create(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  std::filesystem::path target = path;
  if (std::filesystem::exists(status)) {
    if (!std::filesystem::is_regular_file(status)) {
      return Fail(ErrorCode::kInvalidArgument, "{}: expected a name for a file, found something else of that name",
                  path.string());
    }
    target = std::filesystem::canonical(path, ignored);  // a link stays one, its file is replaced
    if (ignored) target = path;
  }
  for (int attempt = 0; attempt < kMaxAttempts; attempt++) {
    std::filesystem::path temporary = target;
    temporary += fmt::format(".{}-{}.part", getpid(), attempt);
    const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return std::unique_ptr<OutputFile>(new OutputFile(std::move(target), std::move(temporary), fd));
    if (errno != EEXIST) {
      return Fail(SystemErrorCode(errno), "{}: cannot be written: {}", path.string(), std::strerror(errno));
    }
  }
  return Fail(ErrorCode::kInternal, "{}: no free temporary name beside it", path.string());
}

tl::unexpected<Error> OutputFile::SystemError(std::string_view doing) const {
  const int error = errno;
  return Fail(SystemErrorCode(error), "{}: {}: {}", name_, doing, std::strerror(error));
}

Result<void> OutputFile::WriteThrough(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("writing");
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return {};
}

Result<void> OutputFile::Write(std::span<const std::byte> bytes) {
  offset_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBuffer) {
    TRY(WriteThrough(std::as_bytes(std::span(buffer_))));
    buffer_.clear();
    if (bytes.size() >= kBuffer) return WriteThrough(bytes);
  }
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return {};
}

Result<void> OutputFile::Commit() {
  CHECK(fd_ >= 0);
  TRY(WriteThrough(std::as_bytes(std::span(buffer_))));
  buffer_.clear();
  if (fsync(fd_) != 0) return SystemError("bringing it to the disk");
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return SystemError("giving it its name");
  close(fd_);
  fd_ = -1;
  // The name, too, has to survive a crash.
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  const int folder_fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd >= 0) {
    fsync(folder_fd);  // some file systems have nothing to bring to the disk and say so
    close(folder_fd);
  }
  return {};
}

}  // namespace bothy
