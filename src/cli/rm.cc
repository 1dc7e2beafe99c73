// bothy rm: frees what is in the local cache.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "cli/command.h"
#include "cli/terminal.h"
#include "client/hub_cache_contents.h"

namespace bothy::cli {
namespace {

struct Options {
  std::vector<std::string> names;
  bool yes = false;
};

Result<void> Confirm(const CacheRemoval& removal) {
  if (!IsTerminal(STDIN_FILENO)) {
    return Fail(ErrorCode::kUsage, "nobody is there to be asked: --yes deletes without asking");
  }
  for (const std::string& name : removal.descriptions) fmt::print(stderr, "  {}\n", name);
  fmt::print(stderr, "Delete {}? [y/N] ", HumanBytes(removal.freed));
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return Fail(ErrorCode::kCancelled, "nothing was deleted");
}

Result<void> Run(const Options& options) {
  std::vector<HubName> names;
  for (const std::string& text : options.names) {
    auto name = ParseHubName(text);
    if (!name) return Fail(ErrorCode::kUsage, "{}: {}", text, name.error().message);
    names.push_back(*std::move(name));
  }
  const HubCache cache = HubCache::FromEnvironment(std::getenv);
  const CacheRemoval removal = TRY(PlanRemoval(cache, names));
  if (!options.yes) TRY(Confirm(removal));
  TRY(Remove(removal));
  fmt::print(stderr, "Freed {}.\n", HumanBytes(removal.freed));
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(rm)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("rm", "Delete models from the local cache");
  app->add_option("names", options->names,
                  "ns/name, ns/name@revision, or ns/name:file-or-quantization; as bothy list shows them")
      ->required();
  app->add_flag("-y,--yes", options->yes, "Do not ask");
  app->footer("Example:\n  bothy rm HuggingFaceTB/SmolLM2-135M-Instruct\n\nWhat another revision needs stays.");
  runner.Set(app, [options] { return Run(*options); });
}
