#include "store/git/objects.h"

#include <git2.h>

#include <algorithm>

#include "store/git/loose_backend.h"

namespace bothy::git {
namespace {

Result<std::unique_ptr<Handle>> OpenHandle(const GitRepository& repository) {
  git_repository* raw = nullptr;
  if (const int status = git_repository_open_bare(&raw, repository.path().c_str()); status != 0) {
    return tl::unexpected(LibgitError(status, repository.name()));
  }
  Owned<git_repository> owned(raw, git_repository_free);
  git_odb* objects = nullptr;
  if (const int status = git_repository_odb(&objects, raw); status != 0) {
    return tl::unexpected(LibgitError(status, repository.name()));
  }
  Owned<git_odb> owned_objects(objects, git_odb_free);
  TRY(AddLooseBackend(objects, repository.path() / "objects"));
  return std::make_unique<Handle>(Handle{std::move(owned), std::move(owned_objects)});
}

}  // namespace

std::string_view ObjectKindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kCommit: return "commit";
    case ObjectKind::kTree: return "tree";
    case ObjectKind::kBlob: return "blob";
    case ObjectKind::kTag: return "tag";
  }
  return "object";
}

Result<std::optional<RawEntry>> TreeObject::Find(std::string_view name) {
  if (++asked_ < kIndexFrom) return FindEntry(bytes(), name);
  if (index_.empty()) TRY(MakeIndex());
  const auto found = std::lower_bound(index_.begin(), index_.end(), name,
                                      [&](uint32_t at, std::string_view wanted) { return NameAt(at) < wanted; });
  if (found == index_.end() || NameAt(*found) != name) return std::nullopt;
  std::string_view rest = bytes().substr(*found);
  return TRY(NextEntry(rest));
}

Result<void> TreeObject::MakeIndex() {
  std::vector<uint32_t> index;
  for (std::string_view rest = bytes(); !rest.empty();) {
    index.push_back(static_cast<uint32_t>(bytes().size() - rest.size()));
    TRY(NextEntry(rest));
  }
  const auto by_name = [&](uint32_t a, uint32_t b) { return std::pair(NameAt(a), a) < std::pair(NameAt(b), b); };
  // They are in order already but for folders, which git puts where their name with a slash belongs.
  if (!std::is_sorted(index.begin(), index.end(), by_name)) std::sort(index.begin(), index.end(), by_name);
  index_ = std::move(index);
  return {};
}

std::string_view TreeObject::NameAt(size_t at) const {
  const size_t begin = bytes().find(' ', at) + 1;
  return bytes().substr(begin, bytes().find('\0', begin) - begin);
}

ObjectReader::ObjectReader(const GitRepository& repository, std::unique_ptr<Handle> handle, uint64_t generation)
    : owner_(&repository), handle_(std::move(handle)), generation_(generation) {}

Result<ObjectReader> ObjectReader::Open(const GitRepository& repository) {
  auto& internals = repository.internals();
  uint64_t generation = 0;
  {
    const std::lock_guard lock(internals.mutex);
    generation = internals.generation;
    if (auto handle = HandlePool::Shared().Take(&internals)) {
      return ObjectReader(repository, std::move(handle), generation);
    }
  }
  return ObjectReader(repository, TRY(OpenHandle(repository)), generation);
}

ObjectReader::~ObjectReader() {
  if (handle_ == nullptr) return;
  auto& internals = owner_->internals();
  const std::lock_guard lock(internals.mutex);
  if (generation_ == internals.generation) HandlePool::Shared().Give(&internals, std::move(handle_));
}

Error ObjectReader::ObjectError(int status, const Oid& oid, IfMissing missing) const {
  if (status == GIT_ENOTFOUND) {
    const auto code = missing == IfMissing::kNotFound ? ErrorCode::kNotFound : ErrorCode::kCorrupt;
    return {code, fmt::format("{}: object {} is missing", name(), oid.ToHex())};
  }
  Error error = LibgitError(status, fmt::format("{}: object {}", name(), oid.ToHex()));
  // What a pack's index promises and the pack does not hold is an error without a class.
  if (error.code == ErrorCode::kInternal) error.code = ErrorCode::kCorrupt;
  return error;
}

Result<ObjectHeader> ObjectReader::Header(const Oid& oid, IfMissing missing) const {
  const git_oid id = ToLibgit(oid);
  size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  int status = git_odb_read_header(&size, &type, objects(), &id);
  if (status != 0 && status != GIT_ENOTFOUND) {
    // A repack may have taken the pack away that it lay in.
    git_odb_refresh(objects());
    status = git_odb_read_header(&size, &type, objects(), &id);
  }
  if (status != 0) return tl::unexpected(ObjectError(status, oid, missing));
  if (type < GIT_OBJECT_COMMIT || type > GIT_OBJECT_TAG) {
    return Fail(ErrorCode::kCorrupt, "{}: object {}: unknown type {}", name(), oid.ToHex(), static_cast<int>(type));
  }
  return ObjectHeader{static_cast<ObjectKind>(type), size};
}

Result<Object> ObjectReader::Read(const Oid& oid, ObjectKind kind, uint64_t limit, IfMissing missing) const {
  const ObjectHeader header = TRY(Header(oid, missing));
  if (header.kind != kind) {
    return Fail(ErrorCode::kCorrupt, "{}: object {}: expected a {}, found a {}", name(), oid.ToHex(),
                ObjectKindName(kind), ObjectKindName(header.kind));
  }
  if (header.size > limit) {
    return Fail(ErrorCode::kResourceExhausted, "{}: object {}: {} of {} bytes, at most {} are read", name(),
                oid.ToHex(), ObjectKindName(kind), header.size, limit);
  }
  const git_oid id = ToLibgit(oid);
  git_odb_object* raw = nullptr;
  int status = git_odb_read(&raw, objects(), &id);
  if (status != 0) {
    git_odb_refresh(objects());
    status = git_odb_read(&raw, objects(), &id);
  }
  if (status != 0) return tl::unexpected(ObjectError(status, oid, missing));
  Owned<git_odb_object> owned(raw, git_odb_object_free);
  const std::string_view bytes(static_cast<const char*>(git_odb_object_data(raw)), git_odb_object_size(raw));
  return Object(std::move(owned), kind, bytes);
}

bool ObjectReader::Exists(const Oid& oid) const {
  const git_oid id = ToLibgit(oid);
  return git_odb_exists_ext(objects(), &id, GIT_ODB_LOOKUP_NO_REFRESH) == 1;
}

Result<std::shared_ptr<TreeObject>> ObjectReader::ReadTree(const Oid& oid) {
  if (const auto known = trees_.find(oid); known != trees_.end()) return known->second;
  const auto read = [&] {
    return Read(oid, ObjectKind::kTree, std::min(kMaxTreeBytes, kMaxTreesBytes - *all_tree_bytes_));
  };
  auto object = read();
  if (!object && object.error().code == ErrorCode::kResourceExhausted) {
    // What stays gives way to what a walk needs.
    trees_.clear();
    largest_tree_ = {};
    tree_bytes_ = 0;
    object = read();
  }
  if (!object) return tl::unexpected(std::move(object).error());
  const uint64_t size = object->bytes().size();
  *all_tree_bytes_ += size;
  std::shared_ptr<TreeObject> tree(new TreeObject(*std::move(object)), [all = all_tree_bytes_](TreeObject* gone) {
    *all -= gone->bytes().size();
    delete gone;
  });
  Keep(oid, tree);
  return tree;
}

void ObjectReader::Keep(const Oid& oid, const std::shared_ptr<TreeObject>& tree) {
  auto smaller = tree;
  auto& [largest_oid, largest] = largest_tree_;
  if (largest == nullptr || tree->bytes().size() > largest->bytes().size()) {
    smaller = std::exchange(largest, tree);
    largest_oid = oid;
  }
  const uint64_t added = smaller != nullptr ? smaller->bytes().size() : 0;
  if (tree_bytes_ + added <= kTreeCacheBytes) {
    tree_bytes_ += added;
  } else {
    trees_ = {largest_tree_};
    tree_bytes_ = smaller == tree ? added : 0;
  }
  trees_.emplace(oid, tree);
}

Result<Oid> TreeOfCommit(const ObjectReader& reader, const Oid& commit, IfMissing missing) {
  const Object object = TRY(reader.Read(commit, ObjectKind::kCommit, kMaxCommitBytes, missing));
  constexpr std::string_view kTree = "tree ";
  const std::string_view bytes = object.bytes();
  const auto tree = bytes.starts_with(kTree) ? Oid::FromHex(bytes.substr(kTree.size(), Oid::kHexDigits)) : std::nullopt;
  if (!tree) return Fail(ErrorCode::kCorrupt, "{}: commit {}: has no tree", reader.name(), commit.ToHex());
  return *tree;
}

Result<void> CheckCommit(const ObjectReader& reader, const Oid& commit) {
  if (TRY(reader.Header(commit, IfMissing::kNotFound)).kind == ObjectKind::kCommit) return {};
  return Fail(ErrorCode::kNotFound, "{}: {} is not a commit", reader.name(), commit.ToHex());
}

}  // namespace bothy::git
