// Reads loose objects in place of libgit2, whose reader (1.5) never ends on a file that is cut short. Internal to
// store/git.
#pragma once

#include <filesystem>

#include "store/git/libgit.h"

namespace bothy::git {

// Asked after packs and before libgit2's own reader.
inline constexpr int kPackPriority = 3;
inline constexpr int kLoosePriority = 2;
inline constexpr int kLibgitLoosePriority = 1;

Result<void> AddLooseBackend(::git_odb* objects, const std::filesystem::path& folder);

}  // namespace bothy::git
