#include "store/git/tree_edit.h"

#include <algorithm>
#include <vector>

#include "store/git/repo_path.h"

namespace bothy::git {
namespace {

tl::unexpected<Error> IsAFile(std::string_view path) {
  return Fail(ErrorCode::kInvalidArgument, "\"{}\" is a file, so it cannot be a folder too: delete it first",
              Printable(path));
}

tl::unexpected<Error> IsAFolder(std::string_view path) {
  return Fail(ErrorCode::kInvalidArgument, "\"{}\" is a folder, so it cannot be a file too: delete it first",
              Printable(path));
}

}  // namespace

bool TreeEdit::Node::HoldsPut() const {
  return state == State::kReplaced ||
         std::any_of(children.begin(), children.end(), [](const auto& child) { return child.second->HoldsPut(); });
}

Result<TreeEdit::Node*> TreeEdit::Reach(std::string_view path) {
  Node* node = &root_;
  std::string_view rest = path;
  while (!rest.empty()) {
    if (node->state == State::kReplaced && node->mode != kModeFolder) {
      return IsAFile(path.substr(0, path.size() - rest.size() - 1));
    }
    const size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view name = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    auto found = node->children.find(name);
    if (found == node->children.end()) {
      if (nodes_ == kMaxNodes || name_bytes_ + name.size() > kMaxNameBytes) {
        return Fail(ErrorCode::kResourceExhausted, "a commit may change at most {} files and folders", kMaxNodes);
      }
      nodes_++;
      name_bytes_ += name.size();
      found = node->children.emplace(std::string(name), std::make_unique<Node>()).first;
    }
    node = found->second.get();
  }
  return node;
}

Result<void> TreeEdit::Put(std::string_view path, const Oid& oid, uint32_t mode) {
  Node* node = TRY(Reach(path));
  const bool puts_below = std::any_of(node->children.begin(), node->children.end(),
                                      [](const auto& child) { return child.second->HoldsPut(); });
  const bool is_folder = puts_below || (node->state == State::kReplaced && node->mode == kModeFolder);
  if (is_folder && mode != kModeFolder) return IsAFolder(path);
  if (mode == kModeFolder && node->state == State::kReplaced && node->mode != kModeFolder) return IsAFile(path);
  node->state = State::kReplaced;
  node->oid = oid;
  node->mode = mode;
  node->children.clear();
  return {};
}

Result<void> TreeEdit::Remove(std::string_view path) {
  Node* node = TRY(Reach(path));
  node->state = State::kRemoved;
  node->cleared = true;
  node->children.clear();
  return {};
}

Result<std::optional<RawEntry>> TreeEdit::Find(ObjectReader& reader, const std::optional<Oid>& base,
                                               std::string_view path) const {
  const Node* node = &root_;
  std::optional<RawEntry> at;
  if (base) at = RawEntry{.name = {}, .mode = kModeFolder, .oid = *base};
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (at && !at->IsFolder()) at.reset();
    if (at) {
      const auto tree = TRY(reader.ReadTree(at->oid));
      at = TRY(tree->Find(name));
      if (at) at->name = {};
    }
    if (node != nullptr) {
      const auto child = node->children.find(name);
      node = child == node->children.end() ? nullptr : child->second.get();
    }
    if (node == nullptr) continue;
    if (node->state == State::kRemoved) at.reset();
    if (node->state == State::kReplaced) {
      at = RawEntry{.name = {}, .mode = node->mode == kKeepMode ? kModeFile : node->mode, .oid = node->oid};
    }
  }
  if (node != nullptr && !node->children.empty() && (!at || at->IsFolder())) {
    if (node->HoldsPut()) return RawEntry{.name = {}, .mode = kModeFolder, .oid = {}};
    if (!at) return std::nullopt;
    // Removals below may have left nothing.
    const auto tree = TRY(reader.ReadTree(at->oid));
    for (std::string_view rest = tree->bytes(); !rest.empty();) {
      const RawEntry entry = TRY(NextEntry(rest));
      const auto child = node->children.find(entry.name);
      // A folder in which something was removed counts as still there: to know better is a walk that only Apply makes.
      if (child == node->children.end() || child->second->state != State::kRemoved) return at;
    }
    return std::nullopt;
  }
  return at;
}

struct TreeEdit::Application {
  ObjectReader& reader;
  ObjectWriter& writer;
  std::string path{};  // of the node that is looked at, for messages

  // What becomes of `before` under `node`; its name is empty.
  Result<std::optional<RawEntry>> Apply(const Node& node, const std::optional<RawEntry>& before) {
    std::optional<RawEntry> base;
    if (node.state == State::kInherited) base = before;
    if (node.state == State::kReplaced) {
      base = RawEntry{.name = {}, .mode = node.mode, .oid = node.oid};
      if (before && !node.cleared && before->IsFolder() && !base->IsFolder()) return IsAFolder(path);
      if (before && !node.cleared && !before->IsFolder() && base->IsFolder()) return IsAFile(path);
      if (base->mode == kKeepMode) base->mode = before && before->mode == kModeExecutable ? kModeExecutable : kModeFile;
    }
    if (node.children.empty()) return base;
    if (base && !base->IsFolder()) {
      if (node.HoldsPut()) return IsAFile(path);
      return base;  // something was removed below it in another revision, where it was a folder
    }
    return ApplyToFolder(node, base);
  }

  Result<std::optional<RawEntry>> ApplyToFolder(const Node& node, const std::optional<RawEntry>& base) {
    std::shared_ptr<TreeObject> tree;
    std::map<std::string_view, RawEntry> before;  // of the children only
    if (base) {
      tree = TRY(reader.ReadTree(base->oid));
      for (std::string_view rest = tree->bytes(); !rest.empty();) {
        const RawEntry entry = TRY(NextEntry(rest));
        if (node.children.contains(entry.name)) before.emplace(entry.name, entry);
      }
    }
    std::vector<RawEntry> after;
    bool changed = !base;
    const size_t length = path.size();
    for (const auto& [name, child] : node.children) {
      path += (length == 0 ? "" : "/") + name;
      const auto known = before.find(name);
      std::optional<RawEntry> old;
      if (known != before.end()) old = known->second;
      auto entry = TRY(Apply(*child, old));
      path.resize(length);
      changed = changed || entry.has_value() != old.has_value() || (entry && !entry->SameAs(*old));
      if (!entry) continue;
      entry->name = name;
      after.push_back(*entry);
    }
    if (!changed) return base;

    const auto in_order = [](const RawEntry& a, const RawEntry& b) {
      return CompareEntries(a.name, a.IsFolder(), b.name, b.IsFolder()) < 0;
    };
    std::sort(after.begin(), after.end(), in_order);
    std::string bytes;
    if (tree) bytes.reserve(tree->bytes().size() + after.size() * 64);
    auto next = after.begin();
    for (std::string_view rest = tree ? tree->bytes() : std::string_view(); !rest.empty();) {
      const RawEntry entry = TRY(NextEntry(rest));
      if (before.contains(entry.name)) continue;
      while (next != after.end() && in_order(*next, entry)) AppendEntry(bytes, *next++);
      AppendEntry(bytes, entry);
    }
    while (next != after.end()) AppendEntry(bytes, *next++);
    if (bytes.empty()) return std::nullopt;
    if (bytes.size() > kMaxTreeBytes) {
      return Fail(ErrorCode::kResourceExhausted, "\"{}\" would hold too many files for one folder: use several",
                  Printable(path));
    }
    return RawEntry{.name = {}, .mode = kModeFolder, .oid = TRY(writer.Write(ObjectKind::kTree, bytes))};
  }
};

Result<Oid> TreeEdit::Apply(ObjectReader& reader, ObjectWriter& writer, const std::optional<Oid>& base) const {
  std::optional<RawEntry> before;
  if (base) before = RawEntry{.name = {}, .mode = kModeFolder, .oid = *base};
  const auto after = TRY(Application{reader, writer}.Apply(root_, before));
  if (after) return after->oid;
  return writer.Write(ObjectKind::kTree, "");
}

}  // namespace bothy::git
