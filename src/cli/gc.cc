// bothy gc: makes room.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/hub_options.h"
#include "cli/stages.h"
#include "cli/terminal.h"
#include "hub/data_lock.h"
#include "hub/housekeeping.h"

namespace bothy::cli {
namespace {

struct Options {
  HubPlace place;
  int64_t days = kKeepUnreferred.count();
};

Result<void> Run(const Options& options) {
  const auto hub = TRY(OpenExistingHub(options.place));
  // The server tidies git repositories itself.
  const auto lock = DataLock::Take(hub->data(), DataLockKind::kRepositories, "bothy gc");
  if (!lock && lock.error().code != ErrorCode::kUnavailable) return tl::unexpected(lock.error());
  if (lock) TRY(hub->repositories().Recover());
  CatchInterrupts();
  Stages stages("looking at");
  const auto progress = [&](std::string_view what, uint64_t done, uint64_t total) {
    return stages.Update(what, done, total);
  };
  const Housekept kept = TRY(KeepHouse(
      *hub, {.age = std::chrono::days(options.days), .repositories = lock.has_value(), .progress = progress}));
  stages.Clear();
  fmt::print("removed {} files of content and {} of their blobs: {} are free\n", kept.content.files, kept.content.xorbs,
             HumanBytes(kept.content.bytes));
  if (!kept.repositories) {
    fmt::print("git repositories were left to the server, which is running\n");
    return {};
  }
  fmt::print("looked at {} git repositories, packed {} and dropped what was deleted from {}: {} are free\n",
             kept.repositories->looked_at, kept.repositories->packed, kept.repositories->dropped_from,
             HumanBytes(kept.repositories->freed_bytes));
  if (kept.repositories->failed == 0) return {};
  return Fail(ErrorCode::kInternal, "{} git repositories could not be tidied: the lines above say why",
              kept.repositories->failed);
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(gc)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("gc", "Remove what no repository refers to any more, and pack git repositories");
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
