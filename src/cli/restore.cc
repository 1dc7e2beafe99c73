// bothy restore: a hub from a backup.
#include "hub/restore.h"

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/stages.h"
#include "cli/terminal.h"
#include "codec/json.h"

namespace bothy::cli {
namespace {

constexpr int kProblemsLeft = 1;

struct Options {
  std::string folder;
  std::string snapshot = "latest";
  std::string data;
  std::string database;
  bool unverified = false;
  bool as_json = false;
};

Result<int> Run(const Options& options) {
  CatchInterrupts();
  Stages stages("restoring");
  RestoreOptions restore;
  restore.folder = options.folder;
  if (options.snapshot != "latest") restore.snapshot = options.snapshot;
  restore.hub.data = options.data;
  restore.hub.database = options.database;
  restore.verify = !options.unverified;
  restore.progress = [&](std::string_view what, uint64_t done, uint64_t total) {
    return stages.Update(what, done, total);
  };
  auto restored = Restore(restore, [&](const Finding& finding) {
    stages.Clear();
    fmt::print(stderr, "{} {}: {}{}\n", finding.kind, finding.subject, finding.message,
               finding.repaired ? " [repaired]" : "");
  });
  stages.Clear();
  if (!restored) {
    // Of Ctrl-C, too: PostgreSQL may have been filled by then.
    if (restored.error().code == ErrorCode::kCancelled) fmt::print(stderr, "bothy: {}\n", restored.error().message);
    return tl::unexpected(std::move(restored).error());
  }
  const RestoreReport& report = *restored;
  const Diagnosis& diagnosis = report.diagnosis;
  for (const std::string& folder : report.dropped) {
    fmt::print(stderr, "{} was made or deleted while the backup was made, and is left out\n", folder);
  }
  if (options.as_json) {
    fmt::print("{}\n",
               json::Serialize(json::object{{"snapshot", report.snapshot.name},
                                            {"repositories", diagnosis.repositories},
                                            {"content_files", diagnosis.content_files},
                                            {"dropped", json::array(report.dropped.begin(), report.dropped.end())},
                                            {"problems", diagnosis.problems},
                                            {"repaired", diagnosis.repaired}}));
  } else {
    fmt::print("{}: {} repositories, {} files of content: {}\n", report.snapshot.name, diagnosis.repositories,
               diagnosis.content_files,
               diagnosis.problems == 0
                   ? "clean"
                   : fmt::format("{} problems, {} of them repaired", diagnosis.problems, diagnosis.repaired));
  }
  return diagnosis.clean() ? 0 : kProblemsLeft;
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(restore)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("restore", "Make a hub of a backup");
  app->add_option("folder", options->folder, "Where bothy backup has put it")->required();
  app->add_option("--snapshot", options->snapshot, "Which one, as bothy backup --list shows it")->capture_default_str();
  app->add_option("--data", options->data, "The new hub's folder of data, which must not be there")->required();
  app->add_option("--database", options->database, "postgresql://... of an empty database, for a backup of PostgreSQL");
  app->add_flag("--no-verify", options->unverified, "Do not compare content with its hashes");
  app->add_flag("--json", options->as_json,
                "Print {snapshot, repositories, content_files, dropped, problems, repaired}");
  app->footer(
      "All or nothing. Ends with 1 where the restored hub has problems, which are shown. The configuration is not\n"
      "restored, as it may name places of the old hub: bothy.toml lies in the backup.\n\n"
      "Example:\n  bothy restore /mnt/backups --data /srv/bothy-restored");
  runner.Set(app, [options] { return Run(*options); });
}
