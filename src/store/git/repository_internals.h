// What a GitRepository keeps: internal to store/git.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "store/git/libgit.h"
#include "store/git/repository.h"

namespace bothy::git {

// libgit2's view of a repository. One thread uses it at a time; a thread that finds none idle opens another, which
// costs a tenth of a millisecond, so that readers never wait for each other.
struct Handle {
  Owned<::git_repository> repository;
  Owned<::git_odb> objects;
};

struct GitRepository::Internals {
  explicit Internals(std::filesystem::path p) : path(std::move(p)) {}

  static constexpr size_t kMaxIdleHandles = 8;

  std::filesystem::path path;
  std::mutex writer;  // held while a branch of this repository moves

  std::mutex mutex;  // over what follows
  std::vector<std::unique_ptr<Handle>> idle;
  uint64_t generation = 0;  // handles of an older one may know objects that have been dropped, and are not kept
  int writing = 0;          // WriteGuards
  bool dropping = false;
};

}  // namespace bothy::git
