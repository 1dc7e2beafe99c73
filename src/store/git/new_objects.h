// What no ref leads to yet: what the rules of a push are about. Until they were looked at, objects that came with it
// lie in the repository like any others.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "store/git/pointer.h"
#include "store/git/repository.h"

namespace bothy::git {

struct NewBlob {
  Oid oid;
  std::string path;  // where it was met first
  uint64_t size = 0;
  std::optional<Pointer> pointer;  // where it is one
};

struct NewObjects {
  std::function<Result<void>(const NewBlob&)> blob;
  // A name that a new folder holds, "folder/name"; of folders that were there before none.
  std::function<Result<void>(std::string_view path)> path;
};

// Whatever `tips` (commits or tags) lead to and no ref but those of incoming.h does, in memory that does not grow with
// it. kNotFound where a tip or what it leads to is missing.
Result<void> ForEachNewObject(const GitRepository& repository, std::span<const Oid> tips, const NewObjects& consume);

// Whether any ref leads to the commit. What a push has brought and was refused for is not, nor what history was
// rewritten without.
Result<bool> IsReachable(const GitRepository& repository, const Oid& commit);

}  // namespace bothy::git
