// Repositories of another hub, which routes ask for when they are not here: whoever implements this brings them. None
// of its calls belongs on a thread that others need, because each may wait for the other hub, for as long as a client
// has patience.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "hub/repository.h"
#include "store/git/pointer.h"

namespace bothy {

// A large file on its way here.
class Arriving {
 public:
  virtual ~Arriving() = default;

  // Fills `out` with what has come from `offset` on, at least one byte, after waiting for that; 0 at the file's end.
  // Its last bytes are given out only when all of it is right, so that no client takes a wrong content for the whole.
  virtual Result<size_t> Read(uint64_t offset, std::span<std::byte> out) = 0;
};

class Upstream {
 public:
  virtual ~Upstream() = default;

  // A repository that is not here: whether there is one of this name now. kUnavailable: not yet.
  virtual Result<bool> Bring(RepositoryKind kind, const std::string& owner, const std::string& name) = 0;

  // Before a revision of a mirror is looked at (nothing: all of its branches and tags): whether anything has changed.
  // Where the other hub does not answer, what is here is what there is.
  virtual bool Refresh(const Repository& mirror, const std::optional<std::string>& revision) = 0;

  // The content of a large file of a mirror, which was not here: null where it is now. Does not wait.
  virtual Result<std::shared_ptr<Arriving>> Fetch(const Repository& mirror, const git::Pointer& pointer) = 0;
};

}  // namespace bothy
