// Adds objects to a repository: a few as loose ones, many as one pack, because a loose object costs an fsync of its own
// (0.4 ms and more) and a pack costs three whatever it holds. Internal to store/git.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "store/git/objects.h"
#include "store/git/pack_writer.h"

namespace bothy::git {

// One thread. Nothing of it is visible before Flush; what was not flushed leaves no trace.
class ObjectWriter {
 public:
  static Result<ObjectWriter> Open(const GitRepository& repository);

  // Objects that the repository has already are not written again: hold a WriteGuard, so that they stay.
  Result<Oid> Write(ObjectKind kind, std::string_view bytes);

  // All that was written since the last time is durable and visible. A pack holds it where it is more than a few
  // objects.
  Result<void> Flush();
  uint64_t pending_bytes() const { return pending_bytes_; }

 private:
  static constexpr size_t kMaxLoose = 6;
  static constexpr uint64_t kMaxHeldBytes = 1 << 20;
  struct Held {
    ObjectKind kind;
    Oid oid;
    std::string bytes;
  };

  ObjectWriter(const GitRepository& repository, ObjectReader reader)
      : repository_(&repository), reader_(std::move(reader)) {}
  Result<void> Spill();  // from now on into a pack

  const GitRepository* repository_;
  ObjectReader reader_;
  std::vector<Held> held_;
  std::unique_ptr<PackWriter> pack_;
  std::unordered_set<Oid> written_;
  uint64_t pending_bytes_ = 0;
};

}  // namespace bothy::git
