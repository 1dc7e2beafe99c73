// bothy list: what is in the local cache that Python's clients share.
#include <CLI/CLI.hpp>
#include <cstdlib>

#include "cli/command.h"
#include "cli/terminal.h"
#include "client/hub_cache_contents.h"
#include "codec/json.h"

namespace bothy::cli {
namespace {

constexpr size_t kShortCommit = 8;

json::object ToJson(const CachedRevision& revision, const std::filesystem::path& folder) {
  json::array refs, files;
  for (const std::string& ref : revision.refs) refs.emplace_back(ref);
  for (const CachedFile& file : revision.files) {
    files.push_back(json::object{{"name", file.name}, {"bytes", file.size}, {"broken", file.broken}});
  }
  return {{"commit", revision.commit},
          {"refs", std::move(refs)},
          {"bytes", revision.size},
          {"modified", revision.modified},
          {"path", (folder / "snapshots" / revision.commit).string()},
          {"files", std::move(files)}};
}

void PrintJson(const HubCache& cache, const std::vector<CachedRepository>& repositories) {
  json::array list;
  uint64_t bytes = 0;
  for (const CachedRepository& repository : repositories) {
    json::array revisions;
    for (const CachedRevision& revision : repository.revisions) {
      revisions.push_back(ToJson(revision, repository.folder));
    }
    bytes += repository.size;
    list.push_back(json::object{{"type", repository.name.type.substr(0, repository.name.type.size() - 1)},
                                {"name", repository.name.id},
                                {"bytes", repository.size},
                                {"unused_bytes", repository.unused},
                                {"modified", repository.modified},
                                {"path", repository.folder.string()},
                                {"revisions", std::move(revisions)}});
  }
  fmt::print("{}\n", json::Serialize(json::object{
                         {"cache", cache.root().string()}, {"bytes", bytes}, {"repositories", std::move(list)}}));
}

void PrintTable(const HubCache& cache, const std::vector<CachedRepository>& repositories) {
  size_t width = 0;
  uint64_t bytes = 0;
  for (const CachedRepository& repository : repositories) {
    width = std::max(width, repository.name.FullName().size());
    bytes += repository.size;
  }
  for (const CachedRepository& repository : repositories) {
    fmt::print("{:<{}}  {:>9}", repository.name.FullName(), width, HumanBytes(repository.size));
    std::string revisions;
    for (const CachedRevision& revision : repository.revisions) {
      std::string names;
      for (const std::string& ref : revision.refs) names += (names.empty() ? "" : ", ") + ref;
      const std::string commit = revision.commit.substr(0, kShortCommit);
      revisions += (revisions.empty() ? "  " : "; ") + (names.empty() ? commit : names + " " + commit);
    }
    fmt::print("{}\n", revisions);
    for (const CachedRevision& revision : repository.revisions) {
      for (const CachedFile& file : revision.files) {
        // What a name's ":" chooses from.
        if (file.name.ends_with(".gguf")) fmt::print("  {:<{}}  {:>9}\n", file.name, width - 2, HumanBytes(file.size));
      }
    }
    if (repository.unused > 0) {
      fmt::print("  {:<{}}  {:>9}\n", "(no revision's)", width - 2, HumanBytes(repository.unused));
    }
  }
  fmt::print(stderr, "{} in {}: {}\n",
             repositories.size() == 1 ? "1 repository" : fmt::format("{} repositories", repositories.size()),
             cache.root().string(), HumanBytes(bytes));
}

Result<void> Run(bool as_json) {
  const HubCache cache = HubCache::FromEnvironment(std::getenv);
  const auto repositories = TRY(ListCache(cache));
  as_json ? PrintJson(cache, repositories) : PrintTable(cache, repositories);
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(list)(CLI::App& root, Runner& runner) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* app = root.add_subcommand("list", "Show the models in the local cache and how much of the disk they take");
  app->add_flag("--json", *as_json,
                "Print {cache, bytes, repositories: [{type, name, bytes, unused_bytes, modified, path, revisions: "
                "[{commit, refs, bytes, modified, path, files: [{name, bytes, broken}]}]}]}; times in seconds since "
                "1970");
  app->footer(
      "Example:\n  bothy list\n\nThe cache is the one of Python's clients: HF_HUB_CACHE, HF_HOME/hub, or "
      "~/.cache/huggingface/hub.");
  runner.Set(app, [as_json] { return Run(*as_json); });
}
