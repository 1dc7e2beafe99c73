#include <cstdlib>
#include <string_view>

#include "store/git/repo_path.h"

using namespace bothy::git;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto path = RepoPath::Parse(text);
  (void)Printable(text);
  if (!path) return 0;
  if (path->text() != text || text.size() > RepoPath::kMaxBytes) std::abort();
  // Whatever was let through has no segment that leads up, is empty or is git's own folder.
  const std::string framed = "/" + path->text() + "/";
  for (const std::string_view bad : {"//", "/./", "/../", "/.git/", "\\", "\n"}) {
    if (framed.find(bad) != std::string::npos) std::abort();
  }
  return 0;
}
