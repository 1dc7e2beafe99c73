// Moving a folder to a name that nothing has. Internal to store/git.
#pragma once

#include <filesystem>

#include "base/error.h"

namespace bothy::git {

// kAlreadyExists where anything is at `to`, an empty folder too, which rename(2) would replace; kNotFound where nothing
// is at `from` or there is no folder for `to`.
Result<void> RenameToFreeName(const std::filesystem::path& from, const std::filesystem::path& to);

// How it is done on file systems that cannot look and rename in one step (NFS, overlays of some kernels): the two under
// a lock of this process. Another process that makes something between them loses an empty folder, and nothing else, as
// rename(2) replaces no file and no folder that holds anything by a folder.
Result<void> LookAndRename(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace bothy::git
