// Whose stream comes next: those of the highest priority, of these one of the user who has had the least work done, of
// these the oldest.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "runtime/scheduler/stream.h"

namespace bothy {

struct Senior {
  bool operator()(const Stream* a, const Stream* b) const { return a->IsSenior(*b); }
};

struct SchedulerUser {
  std::string name;
  uint64_t served = 0;  // tokens run, from where the others were when this user came
  size_t streams = 0;   // that have not ended
  size_t running = 0;
  std::set<Stream*, Senior> waiting;
};

class UserQueue {
 public:
  // A stream that has come, and one that has ended. A user is forgotten with the last stream: who comes anew begins
  // where the least served of the others is, neither ahead by what was not used nor behind by what was.
  SchedulerUser* Join(const std::string& name);
  void Leave(SchedulerUser* user);

  void Push(Stream& stream) { stream.user->waiting.insert(&stream); }
  void Remove(Stream& stream) { stream.user->waiting.erase(&stream); }
  Stream* Next() const;  // null where none waits

  const std::unordered_map<std::string, std::unique_ptr<SchedulerUser>>& users() const { return users_; }

 private:
  std::unordered_map<std::string, std::unique_ptr<SchedulerUser>> users_;
};

}  // namespace bothy
