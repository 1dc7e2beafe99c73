// bothy backup: a copy of everything that the hub keeps.
#include "hub/backup.h"

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/hub_options.h"
#include "cli/stages.h"
#include "cli/terminal.h"
#include "codec/json.h"

namespace bothy::cli {
namespace {

struct Options {
  HubPlace place;
  std::string folder;
  uint64_t keep = 0;
  bool list = false;
  bool as_json = false;
};

json::object ToJson(const Snapshot& snapshot) {
  return {{"snapshot", snapshot.name},
          {"repositories", snapshot.repositories},
          {"bytes", snapshot.bytes()},
          {"new_bytes", snapshot.new_bytes}};
}

Result<int> List(const Options& options) {
  const SnapshotFolder folder(options.folder);
  json::array listed;
  bool damaged = false;
  for (const std::string& name : TRY(folder.Names())) {
    const auto snapshot = folder.Read(name);
    if (!snapshot) {
      damaged = true;
      fmt::print(stderr, "bothy: {}\n", snapshot.error().message);
    } else if (options.as_json) {
      listed.push_back(ToJson(*snapshot));
    } else {
      fmt::print("{}  {} repositories, {} ({} of them new)\n", name, snapshot->repositories,
                 HumanBytes(snapshot->bytes()), HumanBytes(snapshot->new_bytes));
    }
  }
  if (options.as_json) fmt::print("{}\n", json::Serialize(listed));
  return damaged ? 1 : 0;
}

Result<int> Make(const Options& options) {
  const auto hub = TRY(OpenExistingHub(options.place));
  CatchInterrupts();
  Stages stages("copying");
  const BackupReport report =
      TRY(MakeBackup(*hub, {.folder = options.folder,
                            .keep = options.keep,
                            .progress = [&](std::string_view what, uint64_t done, uint64_t total) {
                              return stages.Update(what, done, total);
                            }}));
  stages.Clear();
  for (const std::string& folder : report.missing) {
    fmt::print(stderr, "bothy: {} is missing on the disk and not in the backup: see bothy doctor\n", folder);
  }
  if (options.as_json) {
    json::object printed = ToJson(report.snapshot);
    printed["missing"] = json::array(report.missing.begin(), report.missing.end());
    printed["removed_snapshots"] = report.removed_snapshots;
    printed["removed_bytes"] = report.removed_bytes;
    fmt::print("{}\n", json::Serialize(printed));
  } else {
    fmt::print("{}: {} repositories, {} ({} of them new)\n", report.snapshot.name, report.snapshot.repositories,
               HumanBytes(report.snapshot.bytes()), HumanBytes(report.snapshot.new_bytes));
    if (report.removed_snapshots > 0) {
      fmt::print(stderr, "removed {} old snapshots and {} of content that no other needs\n", report.removed_snapshots,
                 HumanBytes(report.removed_bytes));
    }
  }
  return report.missing.empty() ? 0 : 1;
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(backup)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("backup", "Copy everything that the hub keeps, beside a running server too");
  app->add_option("folder", options->folder, "Where the backups are; not in the folder of data")->required();
  AddHubOptions(*app, options->place);
  app->add_option("--keep", options->keep, "Keep so many backups and remove older ones (all)")
      ->check(CLI::Range(1, 1'000'000));
  app->add_flag("--list", options->list, "Show the backups that are there, and make none");
  app->add_flag("--json", options->as_json,
                "Print {snapshot, repositories, bytes, new_bytes, missing, removed_snapshots, removed_bytes}; with "
                "--list a list of {snapshot, repositories, bytes, new_bytes}");
  app->footer(
      "A backup is consistent and complete in itself; of what an earlier one in the folder has, it stores nothing\n"
      "again. Ends with 1 where a repository is missing on the disk. 'bothy restore' brings a hub back.\n\n"
      "Example:\n  bothy backup /mnt/backups --data /srv/bothy --keep 14");
  runner.Set(app, [options] { return options->list ? List(*options) : Make(*options); });
}
