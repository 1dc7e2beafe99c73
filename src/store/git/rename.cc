#include "store/git/rename.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>

namespace bothy::git {
namespace {

Result<void> Checked(bool good, const std::filesystem::path& from, const std::filesystem::path& to) {
  if (good) return {};
  const auto code = errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR ? ErrorCode::kAlreadyExists
                    : errno == ENOENT                                         ? ErrorCode::kNotFound
                                                                              : ErrorCode::kInternal;
  return Fail(code, "{} to {}: {}", from.string(), to.string(), std::strerror(errno));
}

}  // namespace

Result<void> RenameToFreeName(const std::filesystem::path& from, const std::filesystem::path& to) {
  const bool good = renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0;
  if (!good && (errno == EINVAL || errno == ENOSYS)) return LookAndRename(from, to);
  return Checked(good, from, to);
}

Result<void> LookAndRename(const std::filesystem::path& from, const std::filesystem::path& to) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  struct stat status{};
  if (lstat(to.c_str(), &status) == 0) {
    errno = EEXIST;
    return Checked(false, from, to);
  }
  return Checked(std::rename(from.c_str(), to.c_str()) == 0, from, to);
}

}  // namespace bothy::git
