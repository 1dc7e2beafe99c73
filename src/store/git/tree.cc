#include "store/git/tree.h"

#include <algorithm>

#include "store/git/git_process.h"
#include "store/git/objects.h"
#include "store/git/raw_tree.h"
#include "store/git/repo_path.h"

namespace bothy::git {
namespace {

constexpr size_t kMaxListDepth = 256;  // of folders that are walked; RepoPath holds fewer, a push may hold more

EntryKind KindOf(uint32_t mode) {
  switch (mode) {
    case kModeFolder: return EntryKind::kFolder;
    case kModeLink: return EntryKind::kLink;
    case kModeSubmodule: return EntryKind::kSubmodule;
    default: return EntryKind::kFile;
  }
}

Result<Entry> MakeEntry(const ObjectReader& reader, std::string path, const RawEntry& raw) {
  Entry entry{.path = std::move(path),
              .kind = KindOf(raw.mode),
              .executable = raw.mode == kModeExecutable,
              .oid = raw.oid,
              .size = 0,
              .pointer = std::nullopt};
  if (entry.kind != EntryKind::kFile && entry.kind != EntryKind::kLink) return entry;
  entry.size = TRY(reader.Header(raw.oid)).size;
  if (entry.kind == EntryKind::kFile && entry.size >= kMinPointerBytes && entry.size <= kMaxPointerBytes) {
    entry.pointer = ParsePointer(TRY(reader.Read(raw.oid, ObjectKind::kBlob, kMaxPointerBytes)).bytes());
  }
  return entry;
}

// The entry at `path` below `root`; nothing where there is none.
Result<std::optional<RawEntry>> Walk(ObjectReader& reader, const Oid& root, std::string_view path) {
  RawEntry at{.name = {}, .mode = kModeFolder, .oid = root};
  while (!path.empty()) {
    if (!at.IsFolder()) return std::nullopt;
    const size_t slash = path.find('/');
    const auto next = TRY(TRY(reader.ReadTree(at.oid))->Find(path.substr(0, slash)));
    if (!next) return std::nullopt;
    at = *next;
    at.name = {};  // it points into the tree
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return at;
}

// A cursor is the path of the last entry of a page, below the folder that is listed, with a slash after a folder's.
class Lister {
 public:
  Lister(ObjectReader& reader, const ListOptions& options) : reader_(reader), options_(options) {
    limit_ = std::clamp<size_t>(options.limit, 1, kMaxListLimit);
  }

  Result<EntryPage> List(const Oid& folder) {
    const std::string prefix = options_.folder.empty() ? "" : options_.folder + "/";
    TRY(Visit(folder, prefix, options_.cursor, 0));
    return std::move(page_);
  }

 private:
  // `after` is what the cursor says about this folder: entries up to there were on earlier pages.
  Result<void> Visit(const Oid& oid, const std::string& prefix, std::string_view after, size_t depth) {
    if (depth > kMaxListDepth)
      return Fail(ErrorCode::kResourceExhausted, "{}: folders are too deep", Printable(prefix));
    const size_t slash = after.find('/');
    const std::string_view last = after.substr(0, slash);
    const bool last_is_folder = slash != std::string_view::npos;
    const auto tree = TRY(reader_.ReadTree(oid));
    std::string_view rest = tree->bytes();
    while (!rest.empty() && !full_) {
      const RawEntry raw = TRY(NextEntry(rest));
      const int order = last.empty() ? 1 : CompareEntries(raw.name, raw.IsFolder(), last, last_is_folder);
      if (order < 0) continue;
      const std::string path = prefix + std::string(raw.name);
      if (order > 0) TRY(Add(path, raw));
      if (!options_.recursive || !raw.IsFolder() || full_) continue;
      TRY(Visit(raw.oid, path + "/", order == 0 ? after.substr(slash + 1) : std::string_view(), depth + 1));
    }
    return {};
  }

  Result<void> Add(const std::string& path, const RawEntry& raw) {
    if (page_.entries.size() == limit_) {  // there is one more, so there is a next page
      const Entry& entry = page_.entries.back();
      page_.cursor = entry.path.substr(options_.folder.empty() ? 0 : options_.folder.size() + 1);
      if (entry.kind == EntryKind::kFolder) page_.cursor += '/';
      full_ = true;
      return {};
    }
    page_.entries.push_back(TRY_CONTEXT(Printable(path), MakeEntry(reader_, path, raw)));
    return {};
  }

  ObjectReader& reader_;
  const ListOptions& options_;
  size_t limit_;
  EntryPage page_;
  bool full_ = false;
};

}  // namespace

Result<EntryPage> ListTree(const GitRepository& repository, const Oid& commit, const ListOptions& options) {
  ObjectReader reader = TRY(ObjectReader::Open(repository));
  const Oid root = TRY(TreeOfCommit(reader, commit, IfMissing::kNotFound));
  const auto folder = TRY(Walk(reader, root, options.folder));
  if (!folder || !folder->IsFolder()) {
    return Fail(ErrorCode::kNotFound, "there is no folder \"{}\" in revision {}", Printable(options.folder),
                commit.ToHex());
  }
  return Lister(reader, options).List(folder->oid);
}

Result<std::vector<Entry>> FindEntries(const GitRepository& repository, const Oid& commit,
                                       std::span<const std::string> paths) {
  ObjectReader reader = TRY(ObjectReader::Open(repository));
  const Oid root = TRY(TreeOfCommit(reader, commit, IfMissing::kNotFound));
  std::vector<Entry> entries;
  for (const std::string& path : paths) {
    if (path.empty()) continue;
    if (const auto raw = TRY(Walk(reader, root, path))) entries.push_back(TRY(MakeEntry(reader, path, *raw)));
  }
  return entries;
}

Result<std::optional<Entry>> FindEntry(const GitRepository& repository, const Oid& commit, const std::string& path) {
  auto found = TRY(FindEntries(repository, commit, std::span(&path, 1)));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::string> ReadBlob(const GitRepository& repository, const Oid& blob, uint64_t limit) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  return std::string(TRY(reader.Read(blob, ObjectKind::kBlob, limit)).bytes());
}

Result<std::unique_ptr<ByteSource>> OpenBlob(const GitRepository& repository, const Oid& blob, uint64_t limit) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  const Object object = TRY(reader.Read(blob, ObjectKind::kBlob, limit));
  return MemorySource(fmt::format("{}:{}", repository.name(), blob.ToHex()), object.bytes());
}

Result<void> StreamBlob(const GitRepository& repository, const Oid& blob,
                        const std::function<Result<void>(std::string_view)>& consume) {
  {
    const ObjectReader reader = TRY(ObjectReader::Open(repository));
    const ObjectHeader header = TRY(reader.Header(blob));
    if (header.kind != ObjectKind::kBlob || header.size <= kMaxBlobInMemory) {
      const Object object = TRY(reader.Read(blob, ObjectKind::kBlob, kMaxBlobInMemory));
      constexpr size_t kPiece = 1 << 20;
      for (std::string_view rest = object.bytes(); !rest.empty(); rest.remove_prefix(std::min(kPiece, rest.size()))) {
        TRY(consume(rest.substr(0, kPiece)));
      }
      return {};
    }
  }
  return RunGit(repository, {"cat-file", "blob", blob.ToHex()}, {}, consume);
}

}  // namespace bothy::git
