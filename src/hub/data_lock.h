// Locks on the hub's folder of data, and on one of backups, between programs: a server and the commands of its
// operator.
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace bothy {

enum class DataLockKind {
  kRepositories,  // of who writes to the git repositories: a server, or a command while none runs
  kRemoval,       // of who removes what nothing refers to, and of who needs nothing to be removed meanwhile
  kBackups,       // of who writes to, or reads from, a folder of backups
};

// Held until it goes out of scope; the system releases it when a program ends, however that ends.
class DataLock {
 public:
  // kUnavailable, with who has it, where it is taken. `holder` is for that message: "bothy serve".
  static Result<DataLock> Take(const std::filesystem::path& data, DataLockKind kind, std::string_view holder);
  ~DataLock();
  DataLock(DataLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DataLock& operator=(DataLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

 private:
  explicit DataLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace bothy
