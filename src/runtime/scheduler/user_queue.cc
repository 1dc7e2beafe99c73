#include "runtime/scheduler/user_queue.h"

#include <algorithm>
#include <tuple>

namespace bothy {

SchedulerUser* UserQueue::Join(const std::string& name) {
  std::unique_ptr<SchedulerUser>& user = users_[name];
  if (user == nullptr) {
    user = std::make_unique<SchedulerUser>();
    user->name = name;
    uint64_t least = 0;
    bool first = true;
    for (const auto& [other_name, other] : users_) {
      if (other == user) continue;
      least = first ? other->served : std::min(least, other->served);
      first = false;
    }
    user->served = least;
  }
  user->streams++;
  return user.get();
}

void UserQueue::Leave(SchedulerUser* user) {
  if (--user->streams == 0) users_.erase(users_.find(user->name));
}

Stream* UserQueue::Next() const {
  const auto rank = [](const Stream& stream) {  // the least comes first
    return std::tuple(-int64_t{stream.request->asked.priority}, stream.user->served, stream.request->id);
  };
  Stream* next = nullptr;
  for (const auto& [name, user] : users_) {
    if (user->waiting.empty()) continue;
    Stream* const head = *user->waiting.begin();
    if (next == nullptr || rank(*head) < rank(*next)) next = head;
  }
  return next;
}

}  // namespace bothy
