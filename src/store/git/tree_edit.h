// What a commit changes, path by path, and its application to a tree: only folders that change are read and written.
// Kept apart from any tree, so that it can be applied again to a branch that has moved. Internal to store/git.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/git/object_writer.h"
#include "store/git/raw_tree.h"

namespace bothy::git {

class TreeEdit {
 public:
  // A node takes 150 bytes and its name, so these bound an edit to 100 MB.
  static constexpr size_t kMaxNodes = 500'000;
  static constexpr size_t kMaxNameBytes = 32 << 20;
  static constexpr uint32_t kKeepMode = 0;  // that of the file before, kModeFile for a new one

  // Paths are not checked: what a caller gives has been a RepoPath, what a merge brings may be anything.
  // kInvalidArgument where the path of a file is a folder's or leads through a file, as far as this edit knows;
  // kResourceExhausted over a limit.
  Result<void> Put(std::string_view path, const Oid& oid, uint32_t mode);
  Result<void> Remove(std::string_view path);

  // What there is at `path` when this edit is applied to `base`; the entry's name is empty, and so is the oid of a
  // folder that the edit changes. Nothing where there is none.
  Result<std::optional<RawEntry>> Find(ObjectReader& reader, const std::optional<Oid>& base,
                                       std::string_view path) const;

  // The oid of the tree that becomes of `base` (none: an empty one). Removing what is not there is no error.
  // kInvalidArgument where a file and a folder collide; kResourceExhausted where a folder would be larger than
  // kMaxTreeBytes.
  Result<Oid> Apply(ObjectReader& reader, ObjectWriter& writer, const std::optional<Oid>& base) const;

  bool empty() const { return root_.children.empty(); }

 private:
  enum class State : uint8_t { kInherited, kRemoved, kReplaced };
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;  // applied on top
    State state = State::kInherited;
    bool cleared =
        false;          // what was here before has been removed, so that a file may become a folder or a folder a file
    uint32_t mode = 0;  // of kReplaced
    Oid oid;
    bool HoldsPut() const;
  };

  Result<Node*> Reach(std::string_view path);
  struct Application;

  Node root_;
  size_t nodes_ = 0;
  size_t name_bytes_ = 0;
};

}  // namespace bothy::git
