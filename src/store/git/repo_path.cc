#include "store/git/repo_path.h"

#include <algorithm>
#include <array>

namespace bothy::git {
namespace {

constexpr size_t kMaxPrintable = 200;

// The length of the well-formed UTF-8 sequence that `text` begins with, 0 where there is none (Unicode 15, table 3-7).
size_t Utf8Length(std::string_view text) {
  const auto at = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0u; };
  const auto follows = [&](size_t i, unsigned from = 0x80, unsigned to = 0xbf) { return at(i) >= from && at(i) <= to; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool second = follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
    return second && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second = follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
    return second && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

bool IsControl(std::string_view sequence) {
  const auto first = static_cast<uint8_t>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return sequence.size() == 2 && first == 0xc2 && static_cast<uint8_t>(sequence[1]) < 0xa0;  // U+0080 to U+009F
}

// HFS+ ignores these when it compares names, so ".g<U+200C>it" is ".git" there (CVE-2014-9390; git's utf8.c has the
// list).
bool IsIgnoredByHfs(std::string_view sequence) {
  constexpr auto kIgnored =
      std::to_array<std::string_view>({"\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d",
                                       "\u202e", "\u206a", "\u206b", "\u206c", "\u206d", "\u206e", "\u206f", "\ufeff"});
  return std::find(kIgnored.begin(), kIgnored.end(), sequence) != kIgnored.end();
}

// What `segment` may become on a file system that folds names: without case, HFS's ignorable characters, an NTFS stream
// (":..."), and trailing dots and spaces.
std::string Folded(std::string_view segment) {
  std::string folded;
  for (size_t i = 0; i < segment.size();) {
    const size_t length = Utf8Length(segment.substr(i));
    const std::string_view sequence = segment.substr(i, length);
    i += length;
    if (IsIgnoredByHfs(sequence)) continue;
    if (sequence == ":") break;
    for (const char c : sequence) folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  while (!folded.empty() && (folded.back() == '.' || folded.back() == ' ')) folded.pop_back();
  return folded;
}

Result<void> CheckSegment(std::string_view segment, std::string_view path) {
  const auto refuse = [&](std::string_view why) {
    return Fail(ErrorCode::kInvalidArgument, "\"{}\" cannot be a path of a repository: {}", Printable(path), why);
  };
  if (segment.empty()) return refuse("a name between slashes is empty");
  if (segment == "." || segment == "..") return refuse("\".\" and \"..\" are not allowed");
  if (segment.size() > RepoPath::kMaxSegmentBytes) {
    return refuse(fmt::format("a name is longer than {} bytes", RepoPath::kMaxSegmentBytes));
  }
  const std::string folded = Folded(segment);
  if (folded == ".git" || folded == "git~1") return refuse("\".git\" is not allowed");
  // "..." or ".. " would be ".." on Windows; a name of dots and spaces alone is of no use elsewhere either.
  if (folded.empty()) return refuse("a name consists of dots and spaces");
  return {};
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string printable;
  for (size_t i = 0; i < text.size();) {
    if (printable.size() >= kMaxPrintable) return printable + "...";
    const size_t length = Utf8Length(text.substr(i));
    const std::string_view sequence = text.substr(i, std::max<size_t>(length, 1));
    printable += length == 0 || IsControl(sequence) ? "?" : sequence;
    i += sequence.size();
  }
  return printable;
}

Result<RepoPath> RepoPath::Parse(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return Fail(ErrorCode::kInvalidArgument, "\"{}\" cannot be a path of a repository: {}", Printable(text), why);
  };
  if (text.empty()) return refuse("it is empty");
  if (text.size() > kMaxBytes) return refuse(fmt::format("it is longer than {} bytes", kMaxBytes));
  for (size_t i = 0; i < text.size();) {
    const size_t length = Utf8Length(text.substr(i));
    if (length == 0) return refuse("it is not UTF-8");
    if (IsControl(text.substr(i, length))) return refuse("control characters are not allowed");
    // Traversal on Windows, whose git would write "..\x" outside of the clone.
    if (text[i] == '\\') return refuse("backslashes are not allowed");
    i += length;
  }
  size_t depth = 0;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('/', begin), text.size());
    TRY(CheckSegment(text.substr(begin, end - begin), text));
    if (++depth > kMaxDepth) return refuse(fmt::format("it is deeper than {} folders", kMaxDepth));
    begin = end + 1;
  }
  return RepoPath(std::string(text));
}

std::string_view RepoPath::name() const {
  const size_t slash = text_.rfind('/');
  return slash == std::string::npos ? std::string_view(text_) : std::string_view(text_).substr(slash + 1);
}

std::string_view RepoPath::folder() const {
  const size_t slash = text_.rfind('/');
  return slash == std::string::npos ? std::string_view() : std::string_view(text_).substr(0, slash);
}

}  // namespace bothy::git
