// Last commits of all entries of a folder, kept by commit and folder; the least recently used go first. Internal to
// store/git.
//
// One cache serves all repositories, so that its memory does not grow with them. What it says of a commit holds
// wherever that commit is, as its name covers its history: whoever asks has found the commit in their repository.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/git/oid.h"

namespace bothy::git {

struct FolderLastCommits {
  std::vector<std::string> names;  // bytewise sorted
  std::vector<uint32_t> commit;    // of each name: which of `commits`
  std::vector<Oid> commits;

  uint64_t Bytes() const;
};

class LastCommitCache {  // any thread
 public:
  static constexpr uint64_t kMaxBytes = 128 << 20;  // a folder of 100,000 entries takes 7 MB

  static LastCommitCache& Shared();
  explicit LastCommitCache(uint64_t max_bytes) : max_bytes_(max_bytes) {}

  bool Knows(const Oid& commit);  // of any folder
  std::shared_ptr<const FolderLastCommits> Find(const Oid& commit, std::string_view folder);
  void Insert(const Oid& commit, std::string_view folder, std::shared_ptr<const FolderLastCommits> result);

 private:
  struct Slot {
    Oid commit;
    std::string key;
    std::shared_ptr<const FolderLastCommits> result;
    uint64_t Bytes() const;
  };
  const uint64_t max_bytes_;
  std::mutex mutex_;
  std::list<Slot> slots_;  // the most recently used first
  std::unordered_map<std::string, std::list<Slot>::iterator> by_key_;
  std::unordered_map<Oid, size_t> by_commit_;  // how many slots
  uint64_t bytes_ = 0;
};

}  // namespace bothy::git
