#include "store/git/last_commit_cache.h"

namespace bothy::git {
namespace {

std::string Key(const Oid& commit, std::string_view folder) {
  std::string key(reinterpret_cast<const char*>(commit.bytes.data()), Oid::kBytes);
  return key.append(folder);
}

}  // namespace

uint64_t FolderLastCommits::Bytes() const {
  uint64_t bytes = 256 + names.size() * (sizeof(std::string) + sizeof(uint32_t)) + commits.size() * sizeof(Oid);
  for (const std::string& name : names) bytes += name.size() > 15 ? name.size() + 1 : 0;  // shorter ones lie inside
  return bytes;
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
  std::string key = Key(commit, folder);
  const std::lock_guard lock(mutex_);
  if (by_key_.contains(key)) return;
  bytes_ += result->Bytes();  // a result under two keys counts twice, which errs on the small side
  slots_.push_front({commit, key, std::move(result)});
  by_commit_[commit]++;
  by_key_.emplace(std::move(key), slots_.begin());
  while (bytes_ > kMaxBytes && slots_.size() > 1) {
    bytes_ -= slots_.back().result->Bytes();
    by_key_.erase(slots_.back().key);
    const auto count = by_commit_.find(slots_.back().commit);
    if (--count->second == 0) by_commit_.erase(count);
    slots_.pop_back();
  }
}

}  // namespace bothy::git
