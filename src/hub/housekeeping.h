// What a hub has to do from time to time.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

#include "hub/hub.h"
#include "hub/repository_upkeep.h"

namespace bothy {

// hf-xet remembers for 21 days which content it has seen here, and does not send it again.
inline constexpr std::chrono::days kKeepUnreferred{22};

struct HousekeepingOptions {
  std::chrono::seconds age = kKeepUnreferred;
  // Whether the caller has the lock kRepositories: git repositories are for the process that writes to them.
  bool repositories = false;
  // What is being done, and how much of it. False gives up (kCancelled); what was done by then stays done.
  std::function<bool(std::string_view what, uint64_t done, uint64_t total)> progress{};
};

struct Housekept {
  std::optional<Upkeep> repositories;
  content::Collected content;
};

// Packs git repositories and drops what no ref leads to, removes the content that no repository refers to and that
// nobody has used for `age`, and forgets logins and uploads that have come to nothing. Others go on beside it.
// kUnavailable while somebody else does it, or makes a backup.
Result<Housekept> KeepHouse(Hub& hub, const HousekeepingOptions& options);

}  // namespace bothy
