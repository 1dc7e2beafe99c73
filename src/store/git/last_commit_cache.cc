#include "store/git/last_commit_cache.h"

namespace bothy::git {
namespace {

std::string Key(const Oid& commit, std::string_view folder) {
  std::string key(reinterpret_cast<const char*>(commit.bytes.data()), Oid::kBytes);
  return key.append(folder);
}

}  // namespace

uint64_t FolderLastCommits::Bytes() const {
  uint64_t bytes = names.size() * (sizeof(std::string) + sizeof(uint32_t)) + commits.size() * sizeof(Oid);
  for (const std::string& name : names) bytes += name.size() > 15 ? name.size() + 1 : 0;  // shorter ones lie inside
  return bytes;
}

uint64_t LastCommitCache::Slot::Bytes() const {
  return result->Bytes() + 2 * key.size() + 256;  // the key is in the index too
}

LastCommitCache& LastCommitCache::Shared() {
  static LastCommitCache cache(kMaxBytes);
  return cache;
}

bool LastCommitCache::Knows(const Oid& commit) {
  const std::lock_guard lock(mutex_);
  return by_commit_.contains(commit);
}

std::shared_ptr<const FolderLastCommits> LastCommitCache::Find(const Oid& commit, std::string_view folder) {
  const std::string key = Key(commit, folder);
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  slots_.splice(slots_.begin(), slots_, found->second);
  return found->second->result;
}

void LastCommitCache::Insert(const Oid& commit, std::string_view folder,
                             std::shared_ptr<const FolderLastCommits> result) {
  Slot slot{commit, Key(commit, folder), std::move(result)};
  const uint64_t bytes = slot.Bytes();  // a result under two keys counts twice, which errs on the small side
  const std::lock_guard lock(mutex_);
  if (bytes > max_bytes_ || by_key_.contains(slot.key)) return;
  while (bytes_ + bytes > max_bytes_) {
    const Slot& oldest = slots_.back();
    bytes_ -= oldest.Bytes();
    by_key_.erase(oldest.key);
    const auto count = by_commit_.find(oldest.commit);
    if (--count->second == 0) by_commit_.erase(count);
    slots_.pop_back();
  }
  bytes_ += bytes;
  slots_.push_front(std::move(slot));
  by_key_.emplace(slots_.front().key, slots_.begin());
  by_commit_[commit]++;
}

}  // namespace bothy::git
