// bothy gc: makes room.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/hub_options.h"
#include "cli/terminal.h"
#include "hub/housekeeping.h"

namespace bothy::cli {
namespace {

struct Options {
  HubPlace place;
  int64_t days = kKeepUnreferred.count();
};

Result<void> Run(const Options& options) {
  const auto hub = TRY(OpenExistingHub(options.place));
  const content::Collected collected = TRY(CollectContent(*hub, std::chrono::days(options.days)));
  fmt::print("removed {} files of content and {} of their blobs: {} are free\n", collected.files, collected.xorbs,
             HumanBytes(collected.bytes));
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(gc)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("gc", "Remove content that no repository refers to any more");
  AddHubOptions(*app, options->place);
  app->add_option("--older-than", options->days, "Days since anybody sent or used it")
      ->check(CLI::Range(1, 36500))
      ->capture_default_str();
  app->footer(
      "A server does this by itself every day (bothy serve --gc-every). Clients remember for 21 days what they have\n"
      "sent and do not send it again: with fewer days an upload that counts on what was removed is refused, and\n"
      "succeeds once the client's cache is emptied (~/.cache/huggingface/xet).\n\n"
      "Example:\n  bothy gc --data /srv/bothy");
  runner.Set(app, [options] { return Run(*options); });
}
