#include "client/hub_cache_contents.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/byte_source.h"
#include "codec/shards.h"

namespace bothy {
namespace {

namespace fs = std::filesystem;

struct FileStatus {
  BlobId blob;
  uint64_t size = 0;
  int64_t modified = 0;
};

// Of what a link leads to; nothing where it leads nowhere.
std::optional<FileStatus> StatusOf(const fs::path& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileStatus{{status.st_dev, status.st_ino}, static_cast<uint64_t>(status.st_size), status.st_mtime};
}

// Counts each blob once.
class BlobSizes {
 public:
  void Add(const BlobId& blob, uint64_t size) {
    if (seen_.insert(blob).second) total_ += size;
  }
  uint64_t total() const { return total_; }
  bool Has(const BlobId& blob) const { return seen_.contains(blob); }

 private:
  std::set<BlobId> seen_;
  uint64_t total_ = 0;
};

Result<std::map<std::string, std::vector<std::string>>> RefsByCommit(const fs::path& repository) {
  std::map<std::string, std::vector<std::string>> refs;
  const fs::path folder = repository / "refs";
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return refs;
  for (const std::string& ref : TRY(FilesBelow(folder))) {
    const auto file = OpenFile(folder / ref);
    const auto commit = file ? (*file)->ReadAll(1024) : Result<std::string>("");
    if (commit) refs[commit->substr(0, commit->find_last_not_of("\r\n") + 1)].push_back(ref);
  }
  return refs;
}

Result<CachedRepository> Read(const HubName& name, const fs::path& folder) {
  CachedRepository repository{.name = name, .folder = folder, .revisions = {}};
  BlobSizes used, all;
  const auto refs = TRY(RefsByCommit(folder));
  std::error_code error;
  for (fs::directory_iterator it(folder / "snapshots", error), end; !error && it != end; it.increment(error)) {
    if (std::error_code ignored; !it->is_directory(ignored)) continue;
    CachedRevision revision{.commit = it->path().filename().string(), .refs = {}, .files = {}};
    if (const auto found = refs.find(revision.commit); found != refs.end()) revision.refs = found->second;
    BlobSizes own;
    for (const std::string& file : TRY(FilesBelow(it->path()))) {
      const auto status = StatusOf(it->path() / file);
      if (!status) {
        revision.files.push_back({.name = file, .size = 0, .blob = {}, .broken = true});
        continue;
      }
      revision.files.push_back({file, status->size, status->blob, false});
      revision.modified = std::max(revision.modified, status->modified);
      own.Add(status->blob, status->size);
      used.Add(status->blob, status->size);
      all.Add(status->blob, status->size);
    }
    revision.size = own.total();
    repository.modified = std::max(repository.modified, revision.modified);
    repository.revisions.push_back(std::move(revision));
  }
  error.clear();
  for (fs::directory_iterator it(folder / "blobs", error), end; !error && it != end; it.increment(error)) {
    if (const auto status = StatusOf(it->path())) all.Add(status->blob, status->size);
  }
  std::ranges::sort(repository.revisions, [](const auto& a, const auto& b) {
    return a.modified != b.modified ? a.modified > b.modified : a.commit < b.commit;
  });
  repository.size = all.total();
  repository.unused = all.total() - used.total();
  return repository;
}

// The files of one repository that are to go, by revision.
using Marked = std::map<std::string, std::set<std::string>>;

void MarkAll(const CachedRevision& revision, Marked& marked) {
  auto& files = marked[revision.commit];
  for (const CachedFile& file : revision.files) files.insert(file.name);
}

// A file, all files of a folder, or all parts of a split model.
Result<void> MarkFile(const fs::path& repository, const CachedRevision& revision, const std::string& wanted,
                      Marked& marked) {
  const fs::path snapshot = repository / "snapshots" / revision.commit;
  // What is to be deleted may be broken: a name is enough, and a split model need not be whole.
  auto& files = marked[revision.commit];
  const auto add = [&](auto matches) {
    for (const CachedFile& file : revision.files) {
      if (matches(file.name)) files.insert(file.name);
    }
  };
  const auto known = [&](const std::string& name) {
    return std::ranges::any_of(revision.files, [&](const CachedFile& file) { return file.name == name; });
  };
  std::string name = wanted;
  if (!known(name)) name = TRY(SelectModelFile(snapshot, wanted)).lexically_relative(snapshot).string();
  const auto split = ParseSplitName(name);
  add([&](const std::string& file) {
    const auto part = split ? ParseSplitName(file) : std::nullopt;
    return file == name || file.starts_with(name + "/") ||
           (part && part->prefix == split->prefix && part->count == split->count);
  });
  return {};
}

Result<void> Mark(const HubCache& cache, const HubName& name, const CachedRepository& repository, Marked& marked) {
  if (name.revision.empty() && name.file.empty()) {
    for (const CachedRevision& revision : repository.revisions) MarkAll(revision, marked);
    return {};
  }
  const std::string commit = TRY(cache.FindCommit(name));
  for (const CachedRevision& revision : repository.revisions) {
    if (revision.commit != commit) continue;
    if (name.file.empty()) {
      MarkAll(revision, marked);
    } else {
      TRY(MarkFile(repository.folder, revision, name.file, marked));
    }
  }
  return {};
}

void PlanRepository(const HubCache& cache, const CachedRepository& repository, const Marked& marked,
                    CacheRemoval& plan) {
  BlobSizes kept, gone, freed;
  std::vector<fs::path> links, blobs;
  bool any_left = false;
  for (const CachedRevision& revision : repository.revisions) {
    const fs::path snapshot = repository.folder / "snapshots" / revision.commit;
    const auto found = marked.find(revision.commit);
    const bool whole = found != marked.end() && found->second.size() == revision.files.size();
    any_left |= !whole;
    for (const CachedFile& file : revision.files) {
      if (found == marked.end() || !found->second.contains(file.name)) {
        if (!file.broken) kept.Add(file.blob, file.size);
      } else if (!whole) {
        links.push_back(snapshot / file.name);
        for (fs::path inner = fs::path(file.name).parent_path(); !inner.empty(); inner = inner.parent_path()) {
          plan.folders_if_empty.push_back(snapshot / inner);
        }
      }
    }
    if (!whole) continue;
    plan.folders.push_back(snapshot);
    plan.folders.push_back(repository.folder / ".no_exist" / revision.commit);
    for (const std::string& ref : revision.refs) links.push_back(repository.folder / "refs" / ref);
  }
  if (!any_left) {  // with its downloads that were broken off, its refs and its locks
    std::erase_if(plan.folders, [&](const fs::path& folder) {
      return folder.string().starts_with(repository.folder.string() + "/");
    });
    plan.folders.push_back(repository.folder);
    plan.folders.push_back(cache.root() / ".locks" / repository.folder.filename());
    plan.freed += repository.size;
    return;
  }
  for (const CachedRevision& revision : repository.revisions) {
    const auto found = marked.find(revision.commit);
    if (found == marked.end()) continue;
    for (const CachedFile& file : revision.files) {
      if (file.broken || !found->second.contains(file.name) || kept.Has(file.blob)) continue;
      gone.Add(file.blob, file.size);
      std::error_code ignored;
      const bool is_link = fs::is_symlink(repository.folder / "snapshots" / revision.commit / file.name, ignored);
      if (!is_link) freed.Add(file.blob, file.size);
    }
  }
  // Only what lies in this repository's own folder of blobs is deleted, wherever links lead.
  std::error_code error;
  for (fs::directory_iterator it(repository.folder / "blobs", error), end; !error && it != end; it.increment(error)) {
    const auto status = StatusOf(it->path());
    if (!status || !gone.Has(status->blob)) continue;
    blobs.push_back(it->path());
    freed.Add(status->blob, status->size);
  }
  plan.files.insert(plan.files.end(), links.begin(), links.end());
  plan.files.insert(plan.files.end(), blobs.begin(), blobs.end());
  plan.freed += freed.total();
}

}  // namespace

Result<std::vector<CachedRepository>> ListCache(const HubCache& cache) {
  std::vector<CachedRepository> repositories;
  std::error_code error;
  if (!fs::exists(cache.root(), error)) return repositories;
  fs::directory_iterator it(cache.root(), error), end;
  for (; !error && it != end; it.increment(error)) {
    const auto name = HubNameOfFolder(it->path().filename().string());
    if (std::error_code ignored; name && it->is_directory(ignored)) {
      repositories.push_back(TRY(Read(*name, it->path())));
    }
  }
  if (error) return Fail(ErrorCode::kUnavailable, "{}: {}", cache.root().string(), error.message());
  std::ranges::sort(repositories, {}, [](const auto& r) { return std::pair(r.name.type, r.name.id); });
  return repositories;
}

Result<CachedRepository> ReadCachedRepository(const HubCache& cache, const HubName& name) {
  const fs::path folder = cache.RepositoryFolder(name);
  if (std::error_code ignored; !fs::is_directory(folder, ignored)) return cache.NotInCache(name);
  return Read(name, folder);
}

Result<CacheRemoval> PlanRemoval(const HubCache& cache, const std::vector<HubName>& names) {
  struct Target {
    CachedRepository repository;
    Marked marked;
  };
  std::map<std::string, Target> targets;  // by folder: several names may be of one repository
  CacheRemoval plan;
  for (const HubName& name : names) {
    const std::string folder = name.Folder();
    if (!targets.contains(folder)) {
      auto repository = TRY(ReadCachedRepository(cache, name));
      if (std::error_code ignored; fs::is_symlink(repository.folder, ignored)) {
        return Fail(ErrorCode::kFailedPrecondition, "{}: {} is a link to another place: delete that by hand", name.id,
                    repository.folder.string());
      }
      targets.emplace(folder, Target{std::move(repository), {}});
    }
    Target& target = targets.at(folder);
    TRY(Mark(cache, name, target.repository, target.marked));
    std::string line = name.id;
    if (!name.revision.empty()) line += "@" + name.revision;
    if (!name.file.empty()) line += ":" + name.file;
    plan.descriptions.push_back(std::move(line));
  }
  for (const auto& [folder, target] : targets) PlanRepository(cache, target.repository, target.marked, plan);
  return plan;
}

Result<void> Remove(const CacheRemoval& removal) {
  const auto failed = [](const fs::path& path, const std::error_code& error) {
    return Fail(ErrorCode::kUnavailable, "{}: cannot be deleted: {}", path.string(), error.message());
  };
  std::error_code error;
  for (const fs::path& folder : removal.folders) {
    fs::remove_all(folder, error);
    if (error) return failed(folder, error);
  }
  for (const fs::path& file : removal.files) {
    fs::remove(file, error);
    if (error) return failed(file, error);
  }
  for (const fs::path& folder : removal.folders_if_empty) fs::remove(folder, error);  // fails where something is in it
  return {};
}

}  // namespace bothy
