// Looks whether the hub is whole (the database, all content, every repository, and that each has what the others say of
// it) and repairs what can be repaired. Beside a running server: what a push under way explains is no problem.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "hub/hub.h"
#include "hub/repository_examination.h"

namespace bothy {

struct DoctorOptions {
  bool repair = false;
  bool quick = false;  // what is there is not read: blobs by their size, git's objects by their names
  // What is being looked at, and how much of it: bytes of content, or repositories. False gives up (kCancelled).
  std::function<bool(std::string_view what, uint64_t done, uint64_t total)> progress{};
};

struct Diagnosis {
  uint64_t repositories = 0;
  uint64_t large_files = 0;    // that repositories point to
  uint64_t content_files = 0;  // that are here
  uint64_t content_bytes = 0;  // of the blobs that were looked at
  uint64_t problems = 0;
  uint64_t repaired = 0;
  bool beside_server = false;  // what only a server's start repairs was left alone

  bool clean() const { return problems == repaired; }
};

// kUnavailable where it is to repair while a backup or a collection is under way.
Result<Diagnosis> Examine(Hub& hub, const DoctorOptions& options, const std::function<void(const Finding&)>& found);

}  // namespace bothy
