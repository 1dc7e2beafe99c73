#include "store/git/last_commits.h"

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <queue>
#include <unordered_map>

#include "store/git/commit_object.h"
#include "store/git/last_commit_cache.h"
#include "store/git/raw_tree.h"

namespace bothy::git {
namespace {

constexpr size_t kMaxDepth = 256;  // of folders, as in lists

// A set of entries by their number; 100,000 of them are 12 KB.
class EntrySet {
 public:
  explicit EntrySet(size_t size = 0) : words_((size + 63) / 64) {}
  void Add(size_t i) { words_[i / 64] |= uint64_t{1} << (i % 64); }
  void Remove(size_t i) { words_[i / 64] &= ~(uint64_t{1} << (i % 64)); }
  bool Has(size_t i) const { return (words_[i / 64] >> (i % 64) & 1) != 0; }
  bool HasAnyOf(size_t from, size_t to) const {
    for (; from < to && from % 64 != 0; from++) {
      if (Has(from)) return true;
    }
    for (; from + 64 <= to; from += 64) {
      if (words_[from / 64] != 0) return true;
    }
    for (; from < to; from++) {
      if (Has(from)) return true;
    }
    return false;
  }
  bool empty() const {
    return std::all_of(words_.begin(), words_.end(), [](uint64_t word) { return word == 0; });
  }
  template <class Call>
  void ForEach(const Call& call) const {
    for (size_t i = 0; i < words_.size(); i++) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        call(i * 64 + static_cast<size_t>(std::countr_zero(word)));
      }
    }
  }
  void Unite(const EntrySet& other) {
    for (size_t i = 0; i < words_.size(); i++) words_[i] |= other.words_[i];
  }

 private:
  std::vector<uint64_t> words_;
};

// A folder on the way to entries that are asked for. All entries of a folder are looked for if one is: the walk goes on
// to the oldest of a page anyway, and the next page then costs nothing. Entries are numbered so that those at and below
// a node are one range.
struct Node {
  Oid tree;
  std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
  bool asked = false;              // its own entries are wanted
  bool whole = true;               // and all of them are still looked for
  std::vector<std::string> names;  // of its entries, sorted; entry first + i has names[i]
  size_t first = 0;
  size_t end = 0;  // of the range of all below
};

struct Waiting {
  int64_t time;
  uint64_t count;
  Oid oid;
  bool operator<(const Waiting& other) const { return time != other.time ? time < other.time : count > other.count; }
};

class Search {
 public:
  Search(ObjectReader reader, std::chrono::milliseconds budget) : reader_(std::move(reader)) {
    if (budget.count() > 0) deadline_ = std::chrono::steady_clock::now() + budget;
  }

  Result<LastCommits> Find(const Oid& start, std::span<const std::string> paths) {
    const Commit commit = TRY(git::ReadCommit(reader_, start, IfMissing::kNotFound));
    if (auto known = AllKnown(start, paths)) return *std::move(known);
    root_.tree = commit.tree;
    for (const std::string& path : paths) TRY(Ask(path));
    TRY(Number(root_));
    found_.resize(root_.end);
    EntrySet all(root_.end);
    for (size_t i = 0; i < root_.end; i++) all.Add(i);
    all_found_ = false;
    TRY(Walk(commit, std::move(all)));
    if (all_found_) Keep(start);
    LastCommits result{.commits = {}, .complete = all_found_};
    for (const std::string& path : paths) result.commits.push_back(Answer(path));
    return result;
  }

 private:
  static std::pair<std::string_view, std::string_view> Split(std::string_view path) {
    const size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return {"", path};
    return {path.substr(0, slash), path.substr(slash + 1)};
  }

  // The answer where every folder of `paths` is kept for this commit.
  std::optional<LastCommits> AllKnown(const Oid& start, std::span<const std::string> paths) {
    std::unordered_map<std::string_view, std::shared_ptr<const FolderLastCommits>> folders;
    LastCommits result;
    for (const std::string& path : paths) {
      const auto [folder, name] = Split(path);
      auto& known = folders[folder];
      if (known == nullptr) known = cache_.Find(start, folder);
      if (known == nullptr) return std::nullopt;
      const auto at = std::lower_bound(known->names.begin(), known->names.end(), name);
      const bool there = at != known->names.end() && *at == name;
      const auto number = static_cast<size_t>(at - known->names.begin());
      result.commits.push_back(there ? known->commits[known->commit[number]] : Oid{});
    }
    return result;
  }

  // Only folders that there are get a node, so that paths of a caller's invention cost nothing.
  Result<void> Ask(std::string_view path) {
    if (path.empty()) return {};
    Node* node = &root_;
    size_t depth = 0;
    for (std::string_view folder = Split(path).first; !folder.empty();) {
      if (++depth > kMaxDepth) return {};
      const size_t slash = std::min(folder.find('/'), folder.size());
      const std::string_view name = folder.substr(0, slash);
      folder.remove_prefix(std::min(slash + 1, folder.size()));
      auto child = node->children.find(name);
      if (child == node->children.end()) {
        const auto entry = TRY(TRY(reader_.ReadTree(node->tree))->Find(name));
        if (!entry || !entry->IsFolder()) return {};
        if (folders_++ == kMaxLastCommitFolders) {
          return Fail(ErrorCode::kResourceExhausted, "last commits of more than {} folders were asked for at once",
                      kMaxLastCommitFolders);
        }
        child = node->children.emplace(std::string(name), std::make_unique<Node>()).first;
        child->second->tree = entry->oid;
      }
      node = child->second.get();
    }
    node->asked = true;
    return {};
  }

  Result<void> Number(Node& node) {
    node.first = next_;
    if (node.asked) {
      const auto tree = TRY(reader_.ReadTree(node.tree));
      for (std::string_view rest = tree->bytes(); !rest.empty();) {
        if (next_++ == kMaxLastCommitEntries) {
          return Fail(ErrorCode::kResourceExhausted, "last commits were asked for in folders of more than {} files",
                      kMaxLastCommitEntries);
        }
        node.names.emplace_back(TRY(NextEntry(rest)).name);
      }
      std::sort(node.names.begin(), node.names.end());
    }
    for (auto& [name, child] : node.children) TRY(Number(*child));
    node.end = next_;
    return {};
  }

  // Marks in `changed` which of the `wanted` entries differ between two trees.
  Result<void> Compare(Node& node, const std::optional<Oid>& before, const std::optional<Oid>& after,
                       const EntrySet& wanted, std::vector<size_t>& changed, std::vector<Node*>& touched) {
    if (before == after || !wanted.HasAnyOf(node.first, node.end)) return {};
    if (node.asked && wanted.HasAnyOf(node.first, node.first + node.names.size())) touched.push_back(&node);
    std::shared_ptr<TreeObject> before_tree, after_tree;
    if (before) before_tree = TRY(reader_.ReadTree(*before));
    if (after) after_tree = TRY(reader_.ReadTree(*after));
    return CompareTrees(
        before_tree ? before_tree->bytes() : std::string_view(), after_tree ? after_tree->bytes() : std::string_view(),
        [&](const RawEntry* a, const RawEntry* b) -> Result<void> {
          const std::string_view name = a != nullptr ? a->name : b->name;
          if (node.asked) {
            const auto at = std::lower_bound(node.names.begin(), node.names.end(), name);
            if (at != node.names.end() && *at == name) {
              const size_t entry = node.first + static_cast<size_t>(at - node.names.begin());
              if (wanted.Has(entry)) changed.push_back(entry);
            }
          }
          const auto child = node.children.find(name);
          if (child == node.children.end()) return {};
          return Compare(*child->second, a != nullptr && a->IsFolder() ? std::optional(a->oid) : std::nullopt,
                         b != nullptr && b->IsFolder() ? std::optional(b->oid) : std::nullopt, wanted, changed,
                         touched);
        });
  }

  // Calls with each folder whose entries are asked for, and its path, which lives no longer than the call: nodes that
  // kept theirs would take the square of a path's length.
  template <class Call>
  static void ForEachAsked(const Node& node, std::string& path, const Call& call) {
    if (node.asked) call(node, path);
    const size_t length = path.size();
    for (const auto& [name, child] : node.children) {
      path += (length == 0 ? "" : "/") + name;
      ForEachAsked(*child, path, call);
      path.resize(length);
    }
  }

  // What an earlier search has found for a folder at this very commit.
  void TakeKnownOf(const Node& node, const std::string& path, const Oid& commit, EntrySet& wanted) {
    const auto known = cache_.Find(commit, path);
    if (known == nullptr) return;
    size_t at = 0;
    for (size_t i = 0; i < node.names.size(); i++) {
      if (!wanted.Has(node.first + i)) continue;
      while (at < known->names.size() && known->names[at] < node.names[i]) at++;
      if (at == known->names.size() || known->names[at] != node.names[i]) continue;
      wanted.Remove(node.first + i);
      found_[node.first + i] = known->commits[known->commit[at]];
    }
  }

  void TakeKnown(const Oid& commit, EntrySet& wanted) {
    std::string path;
    ForEachAsked(root_, path,
                 [&](const Node& node, const std::string& folder) { TakeKnownOf(node, folder, commit, wanted); });
  }

  // The result for a folder whose entries are all found, under the commit from which it holds.
  void KeepAt(const Node& node, const std::string& path, const Oid& commit) {
    auto result = std::make_shared<FolderLastCommits>();
    result->names = node.names;
    std::unordered_map<Oid, uint32_t> numbers;
    for (size_t i = 0; i < node.names.size(); i++) {
      const Oid& last = found_[node.first + i];
      const auto [number, is_new] = numbers.emplace(last, static_cast<uint32_t>(result->commits.size()));
      if (is_new) result->commits.push_back(last);
      result->commit.push_back(number->second);
    }
    cache_.Insert(commit, path, std::move(result));
  }

  void Keep(const Oid& start) {
    std::string path;
    ForEachAsked(root_, path, [&](const Node& node, const std::string& folder) {
      if (node.names.empty()) return;
      KeepAt(node, folder, start);
      if (const auto first = first_change_.find(&node); first != first_change_.end() && first->second != start) {
        KeepAt(node, folder, first->second);
      }
    });
  }

  Result<void> Walk(const Commit& start, EntrySet all) {
    std::priority_queue<Waiting> queue;
    std::unordered_map<Oid, EntrySet> wanted;
    uint64_t count = 0;
    queue.push({start.committer.time, count++, start.oid});
    wanted.emplace(start.oid, std::move(all));
    while (!queue.empty()) {
      const Oid oid = queue.top().oid;
      queue.pop();
      auto node = wanted.extract(oid);
      if (node.empty() || node.mapped().empty()) continue;
      EntrySet entries = std::move(node.mapped());
      if (cache_.Knows(oid)) TakeKnown(oid, entries);
      const Commit commit = TRY(git::ReadCommit(reader_, oid));
      if (std::chrono::steady_clock::now() > deadline_) return {};
      for (size_t i = 0; i < commit.parents.size() && !entries.empty(); i++) {
        const Oid& parent_oid = commit.parents[i];
        const Commit parent = TRY(git::ReadCommit(reader_, parent_oid));
        std::vector<size_t> changed;
        std::vector<Node*> touched;
        TRY(Compare(root_, parent.tree, commit.tree, entries, changed, touched));
        if (i == 0) NoteFirstChange(commit, touched);
        EntrySet same = std::move(entries);
        entries = EntrySet(root_.end);
        for (const size_t entry : changed) {
          same.Remove(entry);
          entries.Add(entry);
        }
        if (same.empty()) continue;
        const auto [waiting, is_new] = wanted.try_emplace(parent_oid, std::move(same));
        if (!is_new) waiting->second.Unite(same);
        if (is_new) queue.push({parent.committer.time, count++, parent_oid});
      }
      entries.ForEach([&](size_t entry) { found_[entry] = oid; });
    }
    all_found_ = true;
    return {};
  }

  // The first commit on the way where a folder differs from a parent: from here to the start it is the same. Only on a
  // way without forks is it sure that nothing of it waits elsewhere.
  void NoteFirstChange(const Commit& commit, const std::vector<Node*>& touched) {
    for (Node* node : touched) {
      if (node->whole && commit.parents.size() == 1) first_change_.emplace(node, commit.oid);
      node->whole = false;
    }
  }

  Oid Answer(std::string_view path) const {
    const auto [folder, name] = Split(path);
    const Node* node = &root_;
    std::string_view rest = folder;
    while (!rest.empty()) {
      const size_t slash = std::min(rest.find('/'), rest.size());
      const auto child = node->children.find(rest.substr(0, slash));
      if (child == node->children.end()) return {};
      node = child->second.get();
      rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    const auto at = std::lower_bound(node->names.begin(), node->names.end(), name);
    if (at == node->names.end() || *at != name) return {};
    return found_[node->first + static_cast<size_t>(at - node->names.begin())];
  }

  LastCommitCache& cache_ = LastCommitCache::Shared();
  ObjectReader reader_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  Node root_;
  size_t folders_ = 0;
  size_t next_ = 0;
  std::vector<Oid> found_;
  std::unordered_map<const Node*, Oid> first_change_;
  bool all_found_ = false;
};

}  // namespace

Result<LastCommits> FindLastCommits(const GitRepository& repository, const Oid& commit,
                                    std::span<const std::string> paths, std::chrono::milliseconds budget) {
  return Search(TRY(ObjectReader::Open(repository)), budget).Find(commit, paths);
}

}  // namespace bothy::git
