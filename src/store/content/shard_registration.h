// What registering a shard came to.
#pragma once

#include <cstdint>
#include <functional>

namespace bothy::content {

struct ShardOutcome {
  uint64_t files = 0;
  uint64_t new_files = 0;
};

// Bytes of the shard's files that were verified, of all of them; called from time to time. False gives up.
using ShardProgress = std::function<bool(uint64_t verified, uint64_t total)>;

}  // namespace bothy::content
