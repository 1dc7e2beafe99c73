// bothy pull: what a hub has, into the local cache that Python's clients share.
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "cli/command.h"
#include "cli/terminal.h"
#include "client/pull.h"
#include "codec/json.h"

namespace bothy::cli {
namespace {

struct Options {
  std::string name;
  bool dataset = false, space = false;
  std::vector<std::string> include, exclude;
  int connections = client::PullOptions().connections;
  bool force = false, dry_run = false, as_json = false;
};

Result<client::PullRequest> RequestOf(const Options& options) {
  client::PullRequest request = {.name = TRY(ParseHubName(options.name)),
                                 .include = options.include,
                                 .exclude = options.exclude,
                                 .force = options.force};
  if (options.dataset) request.name.type = "datasets";
  if (options.space) request.name.type = "spaces";
  if (!request.name.file.empty() && !(options.include.empty() && options.exclude.empty())) {
    return Fail(ErrorCode::kUsage, "a file behind \":\" and --include or --exclude: take one of them");
  }
  return request;
}

// The snapshot's folder; where one file or quantization was asked for, that (of a split model the first part).
std::filesystem::path Place(const HubCache& cache, const client::PullPlan& plan) {
  const client::RepositoryCache repository(cache, plan.name);
  if (plan.name.file.empty()) return repository.SnapshotPath(plan.commit);
  return repository.FilePath(plan.commit, plan.files.front());
}

void PrintJson(const HubCache& cache, const client::PullPlan& plan, bool fetched) {
  json::array files;
  for (const client::RemoteFile& file : plan.files) {
    files.push_back(json::object{{"name", file.path}, {"bytes", file.size}});
  }
  fmt::print("{}\n", json::Serialize(json::object{{"name", plan.name.FullName()},
                                                  {"commit", plan.commit},
                                                  {"path", Place(cache, plan).string()},
                                                  {"bytes", plan.bytes},
                                                  {"bytes_to_fetch", plan.bytes_to_fetch},
                                                  {"fetched", fetched},
                                                  {"files", std::move(files)}}));
}

std::string Counted(size_t count) { return count == 1 ? "1 file" : fmt::format("{} files", count); }

void Say(std::string_view text) { fmt::print(stderr, "[{}]\n", text); }

Result<void> Fetch(const client::HubApi& api, const HubCache& cache, const client::PullPlan& plan,
                   const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  Progress progress("Pulling " + plan.name.FullName());
  const auto pulled = client::Pull(api, cache, plan,
                                   {.connections = options.connections,
                                    .progress = [&](uint64_t done, uint64_t total) { progress.Update(done, total); },
                                    .note = Say,
                                    .now =
                                        [] {
                                          return std::chrono::duration_cast<std::chrono::seconds>(
                                                     std::chrono::system_clock::now().time_since_epoch())
                                              .count();
                                        }});
  if (!pulled) {
    if (pulled.error().code == ErrorCode::kCancelled) {
      fmt::print(stderr, "\nStopped. What has come is kept: the same command goes on from there.\n");
    }
    return pulled;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (plan.contents_to_fetch > 0) {
    Say(fmt::format("fetched {} in {} ({}/s)", HumanBytes(plan.bytes_to_fetch), HumanSeconds(seconds),
                    HumanBytes(static_cast<uint64_t>(static_cast<double>(plan.bytes_to_fetch) / seconds))));
  }
  return {};
}

Result<void> Run(const Options& options) {
  const client::PullRequest request = TRY(RequestOf(options));
  const client::Endpoint endpoint = TRY(client::Endpoint::FromEnvironment(std::getenv));
  const HubCache cache = HubCache::FromEnvironment(std::getenv);
  CatchInterrupts();
  const client::RetryPolicy retries = {.wait_a_second = [] { std::this_thread::sleep_for(std::chrono::seconds(1)); }};
  net::HttpClient::Options client_options;
  client_options.max_connections_per_host = options.connections;
  net::HttpClient http(std::move(client_options));
  client::HubApi api(http, endpoint, retries, *InterruptFlag());
  const client::PullPlan plan = TRY(client::PlanPull(api, cache, request));
  if (!plan.note.empty()) Say(plan.note);
  Say(fmt::format("{} at {}: {}, {}; {} to fetch", plan.name.FullName(), plan.commit.substr(0, 8),
                  Counted(plan.files.size()), HumanBytes(plan.bytes),
                  plan.contents_to_fetch == 0 ? "nothing" : HumanBytes(plan.bytes_to_fetch)));
  if (!options.dry_run) TRY(Fetch(api, cache, plan, options));
  if (options.as_json) {
    PrintJson(cache, plan, !options.dry_run);
  } else if (!options.dry_run) {
    fmt::print("{}\n", Place(cache, plan).string());
  } else {
    for (const client::RemoteFile& file : plan.files) fmt::print("{:>9}  {}\n", HumanBytes(file.size), file.path);
  }
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(pull)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("pull", "Fetch models and data sets from a hub into the local cache");
  app->add_option("name", options->name, "[datasets/|spaces/]ns/name[@revision][:file or quantization]")->required();
  CLI::Option* dataset = app->add_flag("--dataset", options->dataset, "The name is a data set's");
  app->add_flag("--space", options->space, "The name is a space's")->excludes(dataset);
  app->add_option("--include", options->include, "Only files that fit a pattern, such as \"*.safetensors\" (several)");
  app->add_option("--exclude", options->exclude, "No files that fit a pattern (several)");
  app->add_option("--connections", options->connections, "Transfers at a time")
      ->check(CLI::Range(1, client::PullOptions::kMaxConnections))
      ->capture_default_str();
  app->add_flag("--force", options->force, "Fetch also what is there");
  app->add_flag("--dry-run", options->dry_run, "Only show what would be fetched");
  app->add_flag("--json", options->as_json,
                "Print {name, commit, path, bytes, bytes_to_fetch, fetched, files: [{name, bytes}]}");
  app->footer(
      "Examples:\n  bothy pull ns/name\n  bothy pull ns/name-GGUF:Q4_K_M && bothy chat ns/name-GGUF:Q4_K_M\n"
      "  bothy pull datasets/ns/name@v1 --include \"*.parquet\"\n\n"
      "The hub is HF_ENDPOINT, or huggingface.co; the token is HF_TOKEN, or that of `hf auth login`. What is cut "
      "short\n"
      "goes on where it stopped; what is complete is not fetched again, and needs no network.");
  runner.Set(app, [options] { return Run(*options); });
}
