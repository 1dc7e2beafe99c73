#include "store/git/changes.h"

#include <algorithm>
#include <map>

#include "store/git/raw_tree.h"
#include "store/git/repo_path.h"

namespace bothy::git {
namespace {

constexpr size_t kMaxDepth = 256;

struct Comparison {
  ObjectReader& reader;
  size_t limit;
  ChangeList list{};
  std::string path{};

  Result<void> Compare(const std::optional<Oid>& before, const std::optional<Oid>& after, size_t depth) {
    if (before == after || !list.complete) return {};
    if (depth > kMaxDepth) return Fail(ErrorCode::kResourceExhausted, "{}: folders are too deep", Printable(path));
    std::shared_ptr<TreeObject> old_tree, new_tree;
    if (before) old_tree = TRY(reader.ReadTree(*before));
    if (after) new_tree = TRY(reader.ReadTree(*after));
    return CompareTrees(old_tree ? old_tree->bytes() : std::string_view(),
                        new_tree ? new_tree->bytes() : std::string_view(),
                        [&](const RawEntry* a, const RawEntry* b) { return Entry(a, b, depth); });
  }

  Result<void> Entry(const RawEntry* before, const RawEntry* after, size_t depth) {
    const size_t length = path.size();
    path += length == 0 ? "" : "/";
    path += before != nullptr ? before->name : after->name;
    // One place in git's order is either a folder in both or in none.
    auto result = (before != nullptr ? before : after)->IsFolder()
                      ? Compare(before != nullptr ? std::optional(before->oid) : std::nullopt,
                                after != nullptr ? std::optional(after->oid) : std::nullopt, depth + 1)
                      : Add(before, after);
    path.resize(length);
    return result;
  }

  Result<void> Add(const RawEntry* before, const RawEntry* after) {
    if (list.changes.size() == limit) list.complete = false;
    if (!list.complete) return {};
    Change change{.kind = before == nullptr  ? ChangeKind::kAdded
                          : after == nullptr ? ChangeKind::kDeleted
                                             : ChangeKind::kModified,
                  .path = path,
                  .old_path = path};
    if (before != nullptr) {
      change.old_mode = before->mode;
      change.old_oid = before->oid;
    }
    if (after != nullptr) {
      change.mode = after->mode;
      change.oid = after->oid;
    }
    list.changes.push_back(std::move(change));
    return {};
  }
};

std::string_view Name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

void FindRenames(std::vector<Change>& changes) {
  std::multimap<Oid, size_t> deleted;
  for (size_t i = 0; i < changes.size(); i++) {
    if (changes[i].kind == ChangeKind::kDeleted) deleted.emplace(changes[i].old_oid, i);
  }
  std::vector<bool> gone(changes.size());
  for (Change& change : changes) {
    if (change.kind != ChangeKind::kAdded) continue;
    const auto [from, to] = deleted.equal_range(change.oid);
    if (from == to) continue;
    // Of several, the one that kept its name, as git prefers.
    const auto same_name = [&](const auto& entry) { return Name(changes[entry.second].path) == Name(change.path); };
    auto match = std::find_if(from, to, same_name);
    if (match == to) match = from;
    const Change& old = changes[match->second];
    change.kind = ChangeKind::kRenamed;
    change.old_path = old.path;
    change.old_mode = old.old_mode;
    change.old_oid = old.old_oid;
    gone[match->second] = true;
    deleted.erase(match);
  }
  size_t kept = 0;
  for (size_t i = 0; i < changes.size(); i++) {
    if (gone[i]) continue;
    if (kept != i) changes[kept] = std::move(changes[i]);
    kept++;
  }
  changes.resize(kept);
}

}  // namespace

Result<ChangeList> ChangesOfTrees(ObjectReader& reader, const std::optional<Oid>& before,
                                  const std::optional<Oid>& after, size_t limit) {
  Comparison comparison{.reader = reader, .limit = std::min(limit, kMaxChanges)};
  TRY(comparison.Compare(before, after, 0));
  // git diff sorts by the whole path, where "a/b" may lie before or after "a.b".
  std::sort(comparison.list.changes.begin(), comparison.list.changes.end(),
            [](const Change& a, const Change& b) { return a.path < b.path; });
  return std::move(comparison.list);
}

Result<ChangeList> CompareCommits(const GitRepository& repository, const std::optional<Oid>& before, const Oid& after,
                                  size_t limit) {
  ObjectReader reader = TRY(ObjectReader::Open(repository));
  std::optional<Oid> old_tree;
  if (before) old_tree = TRY(TreeOfCommit(reader, *before, IfMissing::kNotFound));
  const Oid tree = TRY(TreeOfCommit(reader, after, IfMissing::kNotFound));
  ChangeList list = TRY(ChangesOfTrees(reader, old_tree, tree, limit));
  FindRenames(list.changes);
  return list;
}

}  // namespace bothy::git
