#include "store/git/handle_pool.h"

#include <algorithm>

namespace bothy::git {

HandlePool& HandlePool::Shared() {
  static HandlePool pool;
  return pool;
}

std::unique_ptr<Handle> HandlePool::Take(const void* owner) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(idle_.begin(), idle_.end(), [&](const Idle& idle) { return idle.owner == owner; });
  if (found == idle_.end()) return nullptr;
  auto handle = std::move(found->handle);
  idle_.erase(found);
  return handle;
}

void HandlePool::Give(const void* owner, std::unique_ptr<Handle> handle) {
  std::list<Idle> closed;  // after the lock is let go of
  const std::lock_guard lock(mutex_);
  idle_.push_front({owner, std::move(handle)});
  if (idle_.size() > kMaxIdle) closed.splice(closed.begin(), idle_, std::prev(idle_.end()));
}

void HandlePool::Drop(const void* owner) {
  std::list<Idle> closed;
  const std::lock_guard lock(mutex_);
  for (auto at = idle_.begin(); at != idle_.end();) {
    const auto next = std::next(at);
    if (at->owner == owner) closed.splice(closed.begin(), idle_, at);
    at = next;
  }
}

}  // namespace bothy::git
