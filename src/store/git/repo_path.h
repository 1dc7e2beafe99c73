// A path of a file or folder inside a repository, of a kind that can never lead out of it: not on our disk, and not on
// the disk of anyone who clones it with any system's git. Slashes separate, there is none at either end.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy::git {

class RepoPath {
 public:
  // The limits of what file systems of clients can hold: NAME_MAX, and PATH_MAX of Linux. Depth bounds our recursion.
  static constexpr size_t kMaxSegmentBytes = 255;
  static constexpr size_t kMaxBytes = 4096;
  static constexpr size_t kMaxDepth = 128;

  // kInvalidArgument, with a message for the person who chose the name, for: an empty path or segment, "." and "..",
  // ".git" however a file system might fold it (case, trailing dots and spaces, NTFS's short name and streams, HFS's
  // ignorable characters), control characters, backslashes, text that is not UTF-8, and what is over a limit.
  static Result<RepoPath> Parse(std::string_view text);

  const std::string& text() const { return text_; }
  std::string_view name() const;    // the last segment
  std::string_view folder() const;  // all before it, "" for a path of one segment

  auto operator<=>(const RepoPath&) const = default;

 private:
  explicit RepoPath(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// For messages: control characters and bytes that are no UTF-8 become "?", and long text is cut.
std::string Printable(std::string_view text);

}  // namespace bothy::git
