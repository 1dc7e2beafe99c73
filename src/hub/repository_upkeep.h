// Keeping git repositories small and fast, and measuring what they take: for the process that writes to them (the lock
// kRepositories of data_lock.h), beside its commits and pushes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "hub/hub.h"

namespace bothy {

// What no branch leads to any more stays so long, as with git itself (gc.pruneExpire): a commit that somebody has noted
// can still be read, and who has deleted a branch by mistake can push it anew without its content.
inline constexpr std::chrono::days kKeepUnreachable{14};

struct Upkeep {
  uint64_t looked_at = 0;
  uint64_t packed = 0;
  uint64_t dropped_from = 0;  // repositories that have lost what no ref leads to
  uint64_t failed = 0;        // the log says why
  uint64_t freed_bytes = 0;
};

// Looks only at what has changed since the last time. What is busy is passed over until the next time. False from
// `progress` gives up (kCancelled).
Result<Upkeep> TidyRepositories(Hub& hub, const std::function<bool(uint64_t done, uint64_t total)>& progress = {});

}  // namespace bothy
