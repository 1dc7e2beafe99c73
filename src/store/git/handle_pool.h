// libgit2's views of repositories that no thread uses at the moment, those of all repositories together: each holds
// open files and memory mappings of its repository's packs. Internal to store/git.
#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "store/git/libgit.h"

namespace bothy::git {

// One thread uses it at a time; a thread that finds none idle opens another, which costs a tenth of a millisecond, so
// that readers never wait for each other.
struct Handle {
  Owned<::git_repository> repository;
  Owned<::git_odb> objects;
};

class HandlePool {  // any thread
 public:
  static constexpr size_t kMaxIdle = 64;

  static HandlePool& Shared();

  // `owner` is any address that stands for a repository.
  std::unique_ptr<Handle> Take(const void* owner);  // null where none of its handles is idle
  void Give(const void* owner, std::unique_ptr<Handle> handle);
  void Drop(const void* owner);  // all of its handles

 private:
  struct Idle {
    const void* owner;
    std::unique_ptr<Handle> handle;
  };
  std::mutex mutex_;
  std::list<Idle> idle_;  // the last to be given first; short enough to be searched
};

}  // namespace bothy::git
