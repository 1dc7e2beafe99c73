// Removing content that nothing refers to.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/digest.h"

namespace bothy::content {

// The next SHA-256s that something refers to, in any order, a few thousand at a time; none at the end.
using References = std::function<Result<std::vector<Digest256>>()>;

// What is being done, and how much of it: rows of tables, in the order of their numbers. False gives up (kCancelled).
using CollectionProgress = std::function<bool(std::string_view what, uint64_t done, uint64_t total)>;

struct Collected {
  uint64_t files = 0;
  uint64_t xorbs = 0;
  uint64_t bytes = 0;  // of the xorbs
};

}  // namespace bothy::content
