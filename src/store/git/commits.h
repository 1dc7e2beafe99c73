// What a commit says, and the history before it. A commit that the caller names and the repository does not hold is
// kNotFound; a parent or a tree that is missing is kCorrupt.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "store/git/repository.h"

namespace bothy::git {

struct Commit {
  Oid oid;
  Oid tree;
  std::vector<Oid> parents;
  Signature author;
  Signature committer;
  std::string title;        // the first paragraph, on one line
  std::string description;  // the rest
};

Result<Commit> ReadCommit(const GitRepository& repository, const Oid& oid);
Result<std::vector<Commit>> ReadCommits(const GitRepository& repository, std::span<const Oid> oids);

struct HistoryOptions {
  std::string path;    // only commits that changed this file or folder, simplified as git log does; "" for all
  std::string cursor;  // of the page before; "" for the first
  size_t skip = 0;     // leave out so many first
  size_t limit = 100;  // at most kMaxHistoryLimit
};
inline constexpr size_t kMaxHistoryLimit = 1000;

struct HistoryPage {
  std::vector<Commit> commits;
  std::string cursor;  // of the next page; "" where this is the last
};

// Newest first, by committer's time, children before parents where clocks were right. A cursor's page takes no longer
// than the first one: it says where the walk stood. kInvalidArgument where the cursor is none of ours.
Result<HistoryPage> ListCommits(const GitRepository& repository, const Oid& from, const HistoryOptions& options);

Result<uint64_t> CountCommits(const GitRepository& repository, const Oid& from);
Result<bool> IsAncestor(const GitRepository& repository, const Oid& ancestor, const Oid& of);

}  // namespace bothy::git
