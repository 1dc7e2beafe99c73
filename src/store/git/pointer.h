// The pointer that git keeps in place of a large file (git-lfs, docs/spec.md): three lines that name the content by its
// SHA-256 and size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bothy::git {

struct Pointer {
  std::string sha256;  // 64 lower-case hex digits
  uint64_t size = 0;

  bool operator==(const Pointer&) const = default;
};

// What git-lfs itself reads at most when it looks for a pointer; a larger blob is content, whatever it begins with.
inline constexpr size_t kMaxPointerBytes = 1024;
inline constexpr size_t kMinPointerBytes = 126;  // three lines, and a size of one digit

// Nothing where `text` is no pointer. Strict, as the specification: version first, then keys in alphabetical order, of
// which oid and size are required and "ext-..." and unknown ones are passed over; each line ends with one \n.
std::optional<Pointer> ParsePointer(std::string_view text);

// The canonical text, as git-lfs writes it.
std::string FormatPointer(const Pointer& pointer);

}  // namespace bothy::git
