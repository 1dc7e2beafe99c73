// Reading objects of a repository by their oid: internal to store/git, whose other files make values of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/git/raw_tree.h"
#include "store/git/repository_internals.h"

extern "C" struct git_odb_object;

namespace bothy::git {

enum class ObjectKind : uint8_t { kCommit = 1, kTree = 2, kBlob = 3, kTag = 4 };  // as in packs
std::string_view ObjectKindName(ObjectKind kind);

// What is read whole. git allows more; no honest repository comes near, and a hostile one must not fill our memory.
inline constexpr uint64_t kMaxCommitBytes = 1 << 20;
inline constexpr uint64_t kMaxTreeBytes = 64 << 20;  // a million files with names of 30 characters

// What a missing object means: that the repository is broken, where something in it names the object, or that the
// caller has named one that it does not hold.
enum class IfMissing : uint8_t { kCorrupt, kNotFound };

struct ObjectHeader {
  ObjectKind kind;
  uint64_t size;
};

class Object {
 public:
  Object(Owned<::git_odb_object> object, ObjectKind kind, std::string_view bytes)
      : object_(std::move(object)), kind_(kind), bytes_(bytes) {}
  ObjectKind kind() const { return kind_; }
  std::string_view bytes() const { return bytes_; }  // valid as long as the Object

 private:
  Owned<::git_odb_object> object_;
  ObjectKind kind_;
  std::string_view bytes_;
};

// A tree's bytes, and its entries by name. One thread at a time.
class TreeObject {
 public:
  explicit TreeObject(Object object) : object_(std::move(object)) {}
  std::string_view bytes() const { return object_.bytes(); }

  // The entry of that name, whose own name is valid as long as the TreeObject; nothing where there is none. A tree can
  // only be read from its front, so one that is asked often gets an index of four bytes an entry: without it 1,000
  // names of a folder of 100,000 are 1.6 s.
  Result<std::optional<RawEntry>> Find(std::string_view name);

 private:
  static constexpr int kIndexFrom = 8;
  Result<void> MakeIndex();
  std::string_view NameAt(size_t at) const;

  Object object_;
  int asked_ = 0;
  std::vector<uint32_t> index_;  // where entries begin, in the order of their names
};

// Borrows one of the repository's handles. One thread at a time.
class ObjectReader {
 public:
  static Result<ObjectReader> Open(const GitRepository& repository);
  ~ObjectReader();
  ObjectReader(ObjectReader&&) noexcept = default;
  ObjectReader& operator=(ObjectReader&&) = delete;

  // kCorrupt where it cannot be read, is of another kind or does not have its hash; kResourceExhausted where it is
  // larger than `limit`.
  Result<Object> Read(const Oid& oid, ObjectKind kind, uint64_t limit, IfMissing missing = IfMissing::kCorrupt) const;
  Result<ObjectHeader> Header(const Oid& oid, IfMissing missing = IfMissing::kCorrupt) const;
  bool Exists(const Oid& oid) const;  // among what was there when the handle last looked

  // Trees are read again and again, so some stay: the largest, as of a folder whose files are named one by one, and
  // kTreeCacheBytes of others or the last. Walks hold those of the folders on their way down; kResourceExhausted where
  // they would hold more than kMaxTreesBytes (indexes take up to a seventh of it besides).
  static constexpr uint64_t kTreeCacheBytes = 32 << 20;
  static constexpr uint64_t kMaxTreesBytes = 2 * kMaxTreeBytes + kTreeCacheBytes;
  Result<std::shared_ptr<TreeObject>> ReadTree(const Oid& oid);

  std::string name() const { return owner_->name(); }
  ::git_repository* repository() const { return handle_->repository.get(); }
  ::git_odb* objects() const { return handle_->objects.get(); }

 private:
  Error ObjectError(int status, const Oid& oid, IfMissing missing) const;
  void Keep(const Oid& oid, const std::shared_ptr<TreeObject>& tree);

  ObjectReader(const GitRepository& repository, std::unique_ptr<Handle> handle, uint64_t generation);

  const GitRepository* owner_;
  std::unique_ptr<Handle> handle_;
  uint64_t generation_;
  std::unordered_map<Oid, std::shared_ptr<TreeObject>> trees_;
  std::pair<Oid, std::shared_ptr<TreeObject>> largest_tree_;                  // one of them
  uint64_t tree_bytes_ = 0;                                                   // of the others
  std::shared_ptr<uint64_t> all_tree_bytes_ = std::make_shared<uint64_t>(0);  // of those that anybody holds
};

// The tree of a commit, without parsing the rest of it.
Result<Oid> TreeOfCommit(const ObjectReader& reader, const Oid& commit, IfMissing missing = IfMissing::kCorrupt);

// kNotFound where the repository has no such object or it is no commit.
Result<void> CheckCommit(const ObjectReader& reader, const Oid& commit);

}  // namespace bothy::git
