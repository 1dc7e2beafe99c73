// The files that differ between two trees. Internal to store/git.
#pragma once

#include <optional>
#include <vector>

#include "store/git/diff.h"
#include "store/git/objects.h"

namespace bothy::git {

// Without a look for renames.
Result<ChangeList> ChangesOfTrees(ObjectReader& reader, const std::optional<Oid>& before,
                                  const std::optional<Oid>& after, size_t limit);

}  // namespace bothy::git
