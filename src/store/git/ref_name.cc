#include "store/git/ref_name.h"

#include <git2.h>

#include "store/git/libgit.h"
#include "store/git/repo_path.h"

namespace bothy::git {
namespace {

Result<void> Check(std::string_view kind, std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    return Fail(ErrorCode::kInvalidArgument, "\"{}\" cannot be the name of a {}: {}", Printable(name), kind, why);
  };
  if (name.empty()) return refuse("it is empty");
  if (name.size() > kMaxRefNameBytes) return refuse(fmt::format("it is longer than {} bytes", kMaxRefNameBytes));
  if (name == "HEAD" || name == "@" || name == "refs" || name.starts_with("refs/"))
    return refuse("the name is git's own");
  if (name.starts_with('-')) return refuse("it begins with a dash");
  if (Oid::FromHex(name)) return refuse("it looks like the id of a commit");
  // It is a file's path in the repository, so the rules of those hold too (UTF-8, NTFS's streams and so on).
  if (const auto path = RepoPath::Parse(name); !path) return refuse(path.error().message);
  StartLibgit();
  int valid = 0;
  if (git_reference_name_is_valid(&valid, fmt::format("refs/heads/{}", name).c_str()) != 0 || valid == 0) {
    return refuse("git's rules do not allow it (git help check-ref-format)");
  }
  return {};
}

}  // namespace

Result<void> CheckBranchName(std::string_view name) { return Check("branch", name); }
Result<void> CheckTagName(std::string_view name) { return Check("tag", name); }

}  // namespace bothy::git
