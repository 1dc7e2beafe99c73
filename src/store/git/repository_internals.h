// What a GitRepository keeps: internal to store/git.
#pragma once

#include <memory>
#include <mutex>

#include "store/git/handle_pool.h"
#include "store/git/repository.h"

namespace bothy::git {

struct GitRepository::Internals {
  explicit Internals(std::filesystem::path p) : path(std::move(p)) {}
  ~Internals() { HandlePool::Shared().Drop(this); }

  std::filesystem::path path;
  std::mutex writer;  // held while a branch of this repository moves

  std::mutex mutex;         // over what follows
  uint64_t generation = 0;  // handles of an older one may know objects that have been dropped, and are not kept
  int writing = 0;          // WriteGuards
  bool dropping = false;
};

}  // namespace bothy::git
