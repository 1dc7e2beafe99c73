// Fetches what a plan says is missing, on several connections, and checks it.
#pragma once

#include <functional>
#include <string_view>

#include "client/pull_plan.h"
#include "client/xet_storage.h"

namespace bothy::client {

struct PullOptions {
  static constexpr int kMaxConnections = 64;

  int connections = 8;
  std::function<void(uint64_t done, uint64_t total)> progress;  // bytes; some ten times a second, on the calling thread
  std::function<void(std::string_view note)> note;              // one at a time, on any thread
  XetStorage::Clock now;
};

// What is fetched lies under its name in the cache only when its hash is right: SHA-256 of large content, git's SHA-1
// of other. What is cut short stays beside it, for the next try to go on from. The revision's ref is set last.
//
// kResourceExhausted, before anything is fetched, where the disk has too little room; kCorrupt where the hub sends
// another content than it said, of which nothing stays; kCancelled when the api's flag becomes true.
Result<void> Pull(const HubApi& api, const HubCache& cache, const PullPlan& plan, const PullOptions& options);

}  // namespace bothy::client
