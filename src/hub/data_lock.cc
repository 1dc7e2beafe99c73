#include "hub/data_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace bothy {
namespace {

const char* FileOf(DataLockKind kind) {
  switch (kind) {
    case DataLockKind::kRepositories: return "repositories.lock";
    case DataLockKind::kRemoval: return "removal.lock";
    case DataLockKind::kBackups: return "backups.lock";
  }
  return "unknown.lock";
}

// Who has it has written so; only for the message.
std::string HolderOf(int fd) {
  std::array<char, 100> text{};
  const ssize_t got = pread(fd, text.data(), text.size(), 0);
  const std::string_view read(text.data(), got > 0 ? static_cast<size_t>(got) : 0);
  const std::string_view line = read.substr(0, read.find('\n'));
  return line.empty() ? "another program" : std::string(line);
}

}  // namespace

DataLock::~DataLock() {
  if (fd_ >= 0) close(fd_);
}

Result<DataLock> DataLock::Take(const std::filesystem::path& data, DataLockKind kind, std::string_view holder) {
  const std::filesystem::path path = data / FileOf(kind);
  DataLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.fd_ < 0) return Fail(ErrorCode::kInternal, "{}: {}", path.string(), std::strerror(errno));
  while (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return Fail(ErrorCode::kInternal, "{}: {}", path.string(), std::strerror(errno));
    return Fail(ErrorCode::kUnavailable, "{} is in use by {}: wait until it has ended, or stop it", data.string(),
                HolderOf(lock.fd_));
  }
  const std::string text = fmt::format("{} (process {})\n", holder, getpid());
  if (ftruncate(lock.fd_, 0) != 0 || pwrite(lock.fd_, text.data(), text.size(), 0) < 0) {
    return Fail(ErrorCode::kInternal, "{}: {}", path.string(), std::strerror(errno));
  }
  return lock;
}

}  // namespace bothy
