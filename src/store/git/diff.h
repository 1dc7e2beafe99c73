// What differs between two commits: files, and their text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/git/repository.h"

namespace bothy::git {

enum class ChangeKind : uint8_t { kAdded, kModified, kDeleted, kRenamed };

struct Change {
  ChangeKind kind;
  std::string path;
  std::string old_path;   // of what was renamed; else the same
  uint32_t old_mode = 0;  // as git writes it, 0100644; 0 where there was none
  uint32_t mode = 0;
  Oid old_oid;
  Oid oid;
};

struct ChangeList {
  std::vector<Change> changes;  // in the order of git diff; of files, links and submodules
  bool complete = true;         // false where there are more than was asked for
};

inline constexpr size_t kMaxChanges = 100'000;

// From `before` (none: nothing at all) to `after`. What was deleted here and added there with the same content is
// renamed.
Result<ChangeList> CompareCommits(const GitRepository& repository, const std::optional<Oid>& before, const Oid& after,
                                  size_t limit = kMaxChanges);

struct DiffLimits {
  uint64_t file_bytes = 1 << 20;  // a larger file is only said to differ, as a binary one is
  uint64_t text_bytes = 4 << 20;  // of the whole; where it is reached, the rest of the files is left out
};

struct DiffText {
  std::string text;
  bool complete = true;
};

// Unified, with three lines of context, as git diff --full-index writes it.
Result<DiffText> FormatDiff(const GitRepository& repository, const std::vector<Change>& changes,
                            const DiffLimits& limits = {});

}  // namespace bothy::git
