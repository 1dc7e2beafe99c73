#include "base/copy_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/system_error.h"

namespace bothy {
namespace {

constexpr size_t kAtOnce = 16 << 20;  // between two reports of progress
constexpr size_t kBuffer = 1 << 20;

tl::unexpected<Error> SystemError(const std::filesystem::path& path, std::string_view doing) {
  const int error = errno;
  return Fail(SystemErrorCode(error), "{}: {}: {}", path.string(), doing, std::strerror(error));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  const int fd_;
};

// One piece by read and write, for file systems between which the kernel does not copy.
ssize_t CopyByHand(int from, int to, std::unique_ptr<char[]>& buffer) {
  if (buffer == nullptr) buffer = std::make_unique<char[]>(kBuffer);
  const ssize_t got = read(from, buffer.get(), kBuffer);
  for (ssize_t done = 0; done < got;) {
    const ssize_t n = write(to, buffer.get() + done, static_cast<size_t>(got - done));
    if (n < 0 && errno != EINTR) return n;
    if (n > 0) done += n;
  }
  return got;
}

Result<uint64_t> CopyContent(const Descriptor& from, const std::filesystem::path& from_path, const Descriptor& to,
                             const std::filesystem::path& to_path, uint64_t total, const CopyProgress& progress) {
  uint64_t done = 0;
  std::unique_ptr<char[]> buffer;  // once the kernel has refused
  for (;;) {
    ssize_t n = -1;
    if (buffer == nullptr) {
      n = copy_file_range(from.get(), nullptr, to.get(), nullptr, kAtOnce, 0);
      const bool refused = n < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP);
      if (refused || (n == 0 && done == 0)) n = CopyByHand(from.get(), to.get(), buffer);
    } else {
      n = CopyByHand(from.get(), to.get(), buffer);
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError(to_path, fmt::format("copying {}", from_path.string()));
    if (n == 0) return done;
    done += static_cast<uint64_t>(n);
    if (progress && !progress(done, std::max(done, total))) {
      return Fail(ErrorCode::kCancelled, "{}: given up after {} bytes", to_path.string(), done);
    }
  }
}

}  // namespace

Result<uint64_t> CopyFile(const std::filesystem::path& from, const std::filesystem::path& to,
                          const CopyProgress& progress) {
  const Descriptor source(open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info{};
  if (!source || fstat(source.get(), &info) != 0) return SystemError(from, "opening it");
  if (!S_ISREG(info.st_mode)) return Fail(ErrorCode::kInvalidArgument, "{}: is no regular file", from.string());
  const Descriptor target(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, info.st_mode & 0777));
  if (!target) {
    // That `from` is there was seen; a folder of `to` that is missing is another matter.
    const int error = errno;
    return Fail(error == ENOENT ? ErrorCode::kInternal : SystemErrorCode(error), "{}: making it: {}", to.string(),
                std::strerror(error));
  }
  auto copied = CopyContent(source, from, target, to, static_cast<uint64_t>(info.st_size), progress);
  if (!copied) unlink(to.c_str());
  return copied;
}

Result<void> SyncFileSystem(const std::filesystem::path& path) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return SystemError(path, "opening it");
  if (syncfs(fd.get()) != 0) return SystemError(path, "bringing its file system to the disk");
  return {};
}

}  // namespace bothy
