// A tree object's bytes as entries, and what differs between two of them. Internal to store/git.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/git/oid.h"

namespace bothy::git {

inline constexpr uint32_t kModeFile = 0100644;
inline constexpr uint32_t kModeExecutable = 0100755;
inline constexpr uint32_t kModeLink = 0120000;
inline constexpr uint32_t kModeFolder = 0040000;
inline constexpr uint32_t kModeSubmodule = 0160000;

struct RawEntry {
  std::string_view name;
  uint32_t mode = 0;
  Oid oid;

  bool IsFolder() const { return mode == kModeFolder; }
  bool SameAs(const RawEntry& other) const { return mode == other.mode && oid == other.oid; }
};

// Takes the next entry off the front of `rest`, which is not empty. kCorrupt where it is malformed, including names
// that hold a slash or are empty.
Result<RawEntry> NextEntry(std::string_view& rest);

Result<std::optional<RawEntry>> FindEntry(std::string_view tree, std::string_view name);
void AppendEntry(std::string& tree, const RawEntry& entry);

// git's order: bytewise, a folder's name as if it ended with a slash. Negative, 0 or positive.
int CompareEntries(std::string_view a, bool a_is_folder, std::string_view b, bool b_is_folder);

// Calls `changed` with each entry that is in one only or differs; null where it is not there. A file that became a
// folder is two calls, as the two lie at different places in the order. `before` and `after` may be empty: no tree.
using OnChange = std::function<Result<void>(const RawEntry* before, const RawEntry* after)>;
Result<void> CompareTrees(std::string_view before, std::string_view after, const OnChange& changed);

}  // namespace bothy::git
