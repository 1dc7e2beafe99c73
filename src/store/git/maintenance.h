// Keeping a repository fast and small, by the git program beside readers and writers.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "store/git/repository.h"

namespace bothy::git {

struct RepositoryStatistics {
  uint64_t packs = 0;
  uint64_t loose_objects = 0;
  uint64_t bytes = 0;  // of all files of the repository
};

Result<RepositoryStatistics> Measure(const GitRepository& repository);

// Each commit of many files is a pack and each small one three loose objects: from here on they are worth packing.
inline constexpr uint64_t kManyPacks = 50;  // git's gc.autoPackLimit
inline constexpr uint64_t kManyLooseObjects = 2000;
inline bool NeedsRepack(const RepositoryStatistics& s) {
  return s.packs > kManyPacks || s.loose_objects > kManyLooseObjects;
}

enum class RepackKind : uint8_t {
  kSmall,  // loose objects and small packs into larger ones, each twice the next: its cost is that of what is new
  kFull,   // everything into one pack with new deltas, and a bitmap for clones
};

// Drops nothing; packs refs; writes the commit graph with changed paths (Bloom filters). Safe at any time.
Result<void> Repack(const GitRepository& repository, RepackKind kind, std::chrono::milliseconds timeout);

// Drops what no ref leads to and what is older than `age` (0: of any age). kUnavailable while anybody writes; commits
// and pushes that begin meanwhile get kUnavailable.
Result<void> DropUnreachable(GitRepository& repository, std::chrono::seconds age, std::chrono::milliseconds timeout);

// Whether anything is there that no ref leads to. kInternal where git finds the repository broken.
Result<bool> HasUnreachable(const GitRepository& repository, std::chrono::milliseconds timeout);

enum class ObjectCheck {
  kThere,  // that everything refs lead to is there
  kSound,  // and that every object is what its name says
};

// kCorrupt says what is wrong, in one line. What is moved from one pack to another meanwhile may seem to be missing:
// look again before you believe it.
Result<void> CheckObjects(const GitRepository& repository, ObjectCheck check, std::chrono::milliseconds timeout);

}  // namespace bothy::git
