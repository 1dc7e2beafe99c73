#include "hub/git_ignore.h"

#include <algorithm>

namespace bothy {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Spaces at the end do not count unless a backslash is before them.
std::string_view WithoutSpacesAtEnd(std::string_view line) {
  size_t end = 0;
  for (size_t i = 0; i < line.size(); i++) {
    if (line[i] == '\\') {
      if (++i == line.size()) return line;
      end = i + 1;
    } else if (line[i] != ' ') {
      end = i + 1;
    }
  }
  return line.substr(0, end);
}

}  // namespace

GitIgnore::GitIgnore(std::string_view text) : bytes_(text.size()) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    AddLine(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void GitIgnore::AddLine(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with('#')) return;
  line = WithoutSpacesAtEnd(line);
  const bool ignore = !line.starts_with('!');
  if (!ignore) line.remove_prefix(1);
  if (!line.empty()) rules_.push_back({PathPattern(line), ignore});
}

bool GitIgnore::IgnoresItself(std::string_view path, bool is_folder) const {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->pattern.Matches(path, is_folder)) return rule->ignore;
  }
  return false;
}

bool GitIgnore::Ignores(std::string_view path) const {
  for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (IgnoresItself(path.substr(0, slash), /*is_folder=*/true)) return true;
  }
  return IgnoresItself(path, /*is_folder=*/false);
}

}  // namespace bothy
