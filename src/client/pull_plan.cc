#include "client/pull_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "client/file_choice.h"

namespace bothy::client {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> PathsOf(const std::vector<RemoteFile>& files) {
  std::vector<std::string> paths;
  for (const RemoteFile& file : files) paths.push_back(file.path);
  return paths;
}

Result<std::vector<RemoteFile>> Choose(const PullRequest& request, std::vector<RemoteFile> files) {
  const std::string name = request.name.FullName();
  if (!request.name.file.empty()) {
    std::vector<RemoteFile> chosen;
    for (const std::string& path : TRY(ChooseFiles(name, PathsOf(files), request.name.file))) {
      chosen.push_back(*std::ranges::lower_bound(files, path, {}, &RemoteFile::path));
    }
    return chosen;
  }
  const std::vector<std::string> there = PathsOf(files);
  std::erase_if(files,
                [&](const RemoteFile& file) { return !FitsPatterns(file.path, request.include, request.exclude); });
  if (files.empty() && !there.empty()) {
    return Fail(ErrorCode::kNotFound, "{}: no file fits the patterns; there are: {}", name, Listed(there));
  }
  return files;
}

void AddMissing(const RepositoryCache& cache, PullPlan& plan) {
  std::map<std::string, size_t> places;
  for (const RemoteFile& file : plan.files) {
    plan.bytes += file.size;
    if (!plan.force && cache.HasFile(plan.commit, file)) continue;
    const auto [place, is_new] = places.try_emplace(file.etag(), plan.missing.size());
    if (is_new) {
      const bool fetch = plan.force || !cache.HasBlob(file);
      plan.missing.push_back({.file = file, .names = {}, .fetch = fetch});
      if (fetch) {
        plan.contents_to_fetch++;
        plan.bytes_to_fetch += file.size - std::min(file.size, cache.BytesOfPartial(file));
      }
    }
    plan.missing[place->second].names.push_back(file);
  }
}

// What a snapshot has, where nobody has kept what the commit has.
Result<std::vector<RemoteFile>> FilesOfSnapshot(const fs::path& snapshot) {
  std::vector<RemoteFile> files;
  for (std::string& path : TRY(FilesBelow(snapshot))) {
    std::error_code error;
    const auto size = fs::file_size(snapshot / path, error);
    if (!error) files.push_back({.path = std::move(path), .size = size, .blob = {}, .sha256 = {}, .xet = {}});
  }
  return files;
}

// With what the cache knows.
Result<PullPlan> PlanOffline(const HubCache& cache, const PullRequest& request, const Error& why) {
  const RepositoryCache repository(cache, request.name);
  const auto commit = cache.FindCommit(request.name);
  if (!commit) return Fail(ErrorCode::kUnavailable, "{}; and {}", why.message, commit.error().message);
  PullPlan plan = {.name = request.name,
                   .commit = *commit,
                   .files = {},
                   .missing = {},
                   .note = fmt::format("{}; using commit {} of the cache", why.message, commit->substr(0, 8)),
                   .force = false};
  auto tree = repository.ReadTree(*commit);
  if (!tree) {
    tree = TRY(FilesOfSnapshot(repository.SnapshotPath(*commit)));
    plan.note += ", of which it is not known whether all files are there";
  }
  plan.files = TRY(Choose(request, *std::move(tree)));
  AddMissing(repository, plan);
  if (plan.contents_to_fetch > 0) {
    std::vector<std::string> names;
    for (const PlannedContent& content : plan.missing) {
      if (content.fetch) names.push_back(content.file.path);
    }
    return Fail(ErrorCode::kUnavailable, "{}; and of commit {} these are not in the cache: {}", why.message, *commit,
                Listed(names));
  }
  return plan;
}

// Of the hub's answers, and of what is kept of earlier ones: a commit never changes.
Result<PullPlan> PlanOnline(HubApi& api, const HubCache& cache, const PullRequest& request) {
  const HubName& name = request.name;
  const RepositoryCache repository(cache, name);
  PullPlan plan = {
      .name = name, .commit = {}, .files = {}, .missing = {}, .note = {}, .new_tree = {}, .force = request.force};
  plan.commit = IsHex(name.revision, kCommitDigits) ? name.revision : TRY(api.FindCommit(name));
  auto tree = repository.ReadTree(plan.commit);
  if (!tree) {
    tree = TRY(api.ListFiles(name, plan.commit));
    plan.new_tree = tree;
  }
  plan.files = TRY(Choose(request, *std::move(tree)));
  AddMissing(repository, plan);
  return plan;
}

}  // namespace

Result<PullPlan> PlanPull(HubApi& api, const HubCache& cache, const PullRequest& request) {
  if (api.endpoint().offline) {
    return PlanOffline(cache, request, {ErrorCode::kUnavailable, "HF_HUB_OFFLINE is set"});
  }
  auto plan = PlanOnline(api, cache, request);
  if (plan || plan.error().code != ErrorCode::kUnavailable) return plan;
  return PlanOffline(cache, request, plan.error());
}

}  // namespace bothy::client
