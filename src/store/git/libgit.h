// What the files that call libgit2 share. Internal to store/git; git2.h itself is included only by .cc files.
#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"
#include "store/git/oid.h"

extern "C" {
struct git_odb;
struct git_oid;
struct git_repository;
}

namespace bothy::git {

// Starts libgit2 once, with no configuration from outside the repository and with fsync of whatever it writes.
void StartLibgit();

// The error of libgit2's last call in this thread, which returned `status`. An object that was missing on the way (a
// tag's commit, a commit's parent) is kCorrupt.
bool IsMissingObject(int status);
Error LibgitError(int status, std::string_view context);

::git_oid ToLibgit(const Oid& oid);
Oid FromLibgit(const ::git_oid& oid);

template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

}  // namespace bothy::git
