#include "hub/files.h"

#include <algorithm>
#include <unordered_map>

#include "hub/repository_content.h"
#include "store/git/last_commits.h"
#include "store/git/refs.h"
#include "store/git/repo_path.h"

namespace bothy {

Result<RepositoryFiles> RepositoryFiles::Open(const Repositories& repositories, const Repository& repository,
                                              const LargeContent& content) {
  return RepositoryFiles(repositories.database(), repository, TRY(repositories.Open(repository)), content);
}

Result<git::Oid> RepositoryFiles::Resolve(std::string_view revision) const { return git::Resolve(*git_, revision); }

Result<RepositoryEntry> RepositoryFiles::FindFile(const git::Oid& commit, std::string_view path) const {
  const auto nothing = [&] {
    return Fail(ErrorCode::kNotFound, "there is no file \"{}\" in {}", git::Printable(path), commit.ToHex());
  };
  auto entry = TRY(git::FindEntry(*git_, commit, std::string(path)));
  if (!entry || (entry->kind != git::EntryKind::kFile && entry->kind != git::EntryKind::kLink)) return nothing();
  std::vector<git::Entry> one;
  one.push_back(*std::move(entry));
  RepositoryEntry file = std::move(TRY(Describe(std::move(one))).front());
  if (!file.pointer || file.xet_hash) return file;
  if (!TRY(RefersTo(*database_, repository_, file.pointer->sha256))) return nothing();
  return file;
}

Result<TreePage> RepositoryFiles::ListTree(const git::Oid& commit, const TreeOptions& options) const {
  const size_t most = options.expand ? TreeOptions::kMaxExpandedLimit : TreeOptions::kMaxLimit;
  auto page = TRY(git::ListTree(*git_, commit,
                                {.folder = options.folder,
                                 .recursive = options.recursive,
                                 .cursor = options.cursor,
                                 .limit = std::clamp<size_t>(options.limit, 1, most)}));
  TreePage described{.entries = TRY(Describe(std::move(page.entries))), .cursor = std::move(page.cursor)};
  if (options.expand) TRY(AddLastCommits(commit, described.entries));
  return described;
}

Result<std::vector<RepositoryEntry>> RepositoryFiles::FindPaths(const git::Oid& commit,
                                                                std::span<const std::string> paths, bool expand) const {
  if (paths.size() > kMaxPaths) {
    return Fail(ErrorCode::kResourceExhausted, "{} paths asked for at once, at most {} are allowed", paths.size(),
                kMaxPaths);
  }
  auto entries = TRY(Describe(TRY(git::FindEntries(*git_, commit, paths))));
  if (expand) TRY(AddLastCommits(commit, entries));
  return entries;
}

Result<std::vector<RepositoryEntry>> RepositoryFiles::Describe(std::vector<git::Entry> entries) const {
  std::vector<RepositoryEntry> described;
  described.reserve(entries.size());
  std::vector<std::string> large;
  for (git::Entry& entry : entries) {
    if (entry.kind == git::EntryKind::kSubmodule) continue;  // points to another repository; clients know no such thing
    if (entry.pointer) large.push_back(entry.pointer->sha256);
    described.push_back({.path = std::move(entry.path),
                         .is_folder = entry.kind == git::EntryKind::kFolder,
                         .oid = entry.oid,
                         .size = entry.content_size(),
                         .pointer = std::move(entry.pointer),
                         .pointer_size = entry.size});
  }
  const auto referred = TRY(ReferredAmong(*database_, repository_, large));
  const auto found = TRY(content_->Find(large));
  size_t next = 0;
  for (RepositoryEntry& entry : described) {
    if (!entry.pointer) continue;
    if (found[next] && referred.contains(entry.pointer->sha256)) entry.xet_hash = found[next]->xet_hash;
    next++;
  }
  return described;
}

Result<void> RepositoryFiles::AddLastCommits(const git::Oid& commit, std::vector<RepositoryEntry>& entries) const {
  std::vector<std::string> paths;
  for (const RepositoryEntry& entry : entries) paths.push_back(entry.path);
  const auto last = TRY(git::FindLastCommits(*git_, commit, paths, kLastCommitBudget));
  std::vector<git::Oid> oids = last.commits;
  std::sort(oids.begin(), oids.end());
  oids.erase(std::unique(oids.begin(), oids.end()), oids.end());
  std::erase_if(oids, [](const git::Oid& oid) { return oid.IsZero(); });
  std::unordered_map<git::Oid, LastCommit> commits;
  for (git::Commit& read : TRY(git::ReadCommits(*git_, oids))) {
    commits[read.oid] = {.oid = read.oid, .title = std::move(read.title), .time = read.committer.time};
  }
  for (size_t i = 0; i < entries.size(); i++) {
    if (const auto it = commits.find(last.commits[i]); it != commits.end()) entries[i].last_commit = it->second;
  }
  return {};
}

Result<std::unique_ptr<ByteSource>> RepositoryFiles::Open(const RepositoryEntry& file, uint64_t limit) const {
  if (file.pointer) return content_->Open(file.pointer->sha256, fmt::format("{}:{}", git_->name(), file.path));
  return git::OpenBlob(*git_, file.oid, limit);
}

Result<std::optional<std::string>> RepositoryFiles::ReadSmall(const git::Oid& commit, std::string_view path,
                                                              uint64_t limit) const {
  const auto file = FindFile(commit, path);
  if (!file && file.error().code != ErrorCode::kNotFound) return tl::unexpected(file.error());
  if (!file || file->size > limit || (file->pointer && !file->xet_hash)) return std::nullopt;
  const auto source = TRY(Open(*file, limit));
  return TRY(source->ReadAll(limit));
}

Result<uint64_t> RepositoryFiles::TreeSize(const git::Oid& commit, const std::string& folder) const {
  uint64_t bytes = 0;
  git::ListOptions options{.folder = folder, .recursive = true, .limit = git::kMaxListLimit};
  do {
    auto page = TRY(git::ListTree(*git_, commit, options));
    for (const git::Entry& entry : page.entries) bytes += entry.content_size();
    options.cursor = std::move(page.cursor);
  } while (!options.cursor.empty());
  return bytes;
}

}  // namespace bothy
