// Which commit changed each entry of a listing last.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "store/git/repository.h"

namespace bothy::git {

struct LastCommits {
  std::vector<Oid>
      commits;           // one a path asked for; zero where the path is not there, or time ran out before it was found
  bool complete = true;  // false: time ran out
};

// What one search looks for at most: kMaxLastCommitFolders of them, those above included, and entries of all folders
// that a path lies in (more than the largest tree that is read can hold). More is kResourceExhausted.
inline constexpr size_t kMaxLastCommitFolders = 100'000;
inline constexpr size_t kMaxLastCommitEntries = 2'500'000;

// The commit that `git log -1 -- PATH` gives, for many paths at once: one walk through the history compares trees from
// the root down where they differ, and ends when all are found. What it finds for whole folders is kept in memory, and
// a later walk from a newer commit ends where it meets an earlier one's. `budget` 0 is none.
Result<LastCommits> FindLastCommits(const GitRepository& repository, const Oid& commit,
                                    std::span<const std::string> paths, std::chrono::milliseconds budget = {});

}  // namespace bothy::git
