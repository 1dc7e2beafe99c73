// Which names branches and tags can have.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy::git {

inline constexpr size_t kMaxRefNameBytes = 200;  // leaves room for "refs/heads/" and ".lock" in a file's name

// git's own rules (git check-ref-format), and nothing that could be taken for another kind of revision: 40 hex digits,
// "HEAD", "refs/...". kInvalidArgument with a message for the person who chose the name.
Result<void> CheckBranchName(std::string_view name);
Result<void> CheckTagName(std::string_view name);

}  // namespace bothy::git
