// bothy doctor: whether everything that the hub keeps is whole.
#include "hub/doctor.h"

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/hub_options.h"
#include "cli/stages.h"
#include "cli/terminal.h"
#include "codec/json.h"

namespace bothy::cli {
namespace {

constexpr int kProblemsLeft = 1;
constexpr int kCouldNotRun = 2;
// Further ones are counted: the object is built in memory.
constexpr size_t kMaxListed = 10'000;

struct Options {
  HubPlace place;
  DoctorOptions doctor;
  bool as_json = false;
};

json::object ToJson(const Finding& finding) {
  return {{"kind", finding.kind},
          {"subject", finding.subject},
          {"message", finding.message},
          {"repaired", finding.repaired}};
}

void PrintJson(const Diagnosis& diagnosis, json::array findings) {
  fmt::print("{}\n", json::Serialize(json::object{{"clean", diagnosis.clean()},
                                                  {"problems", diagnosis.problems},
                                                  {"repaired", diagnosis.repaired},
                                                  {"repositories", diagnosis.repositories},
                                                  {"large_files", diagnosis.large_files},
                                                  {"content_files", diagnosis.content_files},
                                                  {"content_bytes", diagnosis.content_bytes},
                                                  {"beside_server", diagnosis.beside_server},
                                                  {"findings", std::move(findings)}}));
}

void PrintSummary(const Options& options, const Diagnosis& diagnosis) {
  fmt::print(stderr, "{} repositories with {} large files, {} files of content{}: ", diagnosis.repositories,
             diagnosis.large_files, diagnosis.content_files,
             options.doctor.quick ? "" : fmt::format(" ({})", HumanBytes(diagnosis.content_bytes)));
  if (diagnosis.problems == 0) {
    fmt::print(stderr, "clean\n");
  } else if (options.doctor.repair) {
    fmt::print(stderr, "{} problems, {} of them repaired\n", diagnosis.problems, diagnosis.repaired);
  } else {
    fmt::print(stderr, "{} problems; --repair mends what can be mended\n", diagnosis.problems);
  }
}

Result<Diagnosis> Look(Options& options) {
  const auto hub = TRY(OpenExistingHub(options.place));
  CatchInterrupts();
  Stages stages("checking");
  options.doctor.progress = [&](std::string_view what, uint64_t done, uint64_t total) {
    return stages.Update(what, done, total);
  };
  json::array findings;
  const Diagnosis diagnosis = TRY(Examine(*hub, options.doctor, [&](const Finding& finding) {
    if (options.as_json) {
      if (findings.size() < kMaxListed) findings.push_back(ToJson(finding));
      return;
    }
    stages.Clear();
    fmt::print("{} {}: {}{}\n", finding.kind, finding.subject, finding.message, finding.repaired ? " [repaired]" : "");
  }));
  stages.Clear();
  if (options.as_json) PrintJson(diagnosis, std::move(findings));
  PrintSummary(options, diagnosis);
  return diagnosis;
}

Result<int> Run(Options options) {
  const auto diagnosis = Look(options);
  if (diagnosis) return diagnosis->clean() ? 0 : kProblemsLeft;
  if (diagnosis.error().code == ErrorCode::kCancelled) return tl::unexpected(diagnosis.error());
  fmt::print(stderr, "bothy: {}\n", diagnosis.error().message);
  return kCouldNotRun;
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(doctor)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("doctor", "Check everything that the hub keeps, beside a running server too");
  AddHubOptions(*app, options->place);
  app->add_flag("--repair", options->doctor.repair, "Mend what can be mended");
  app->add_flag("--quick", options->doctor.quick, "Look whether everything is there without reading all of it");
  app->add_flag("--json", options->as_json,
                "Print {clean, problems, repaired, repositories, large_files, content_files, content_bytes, "
                "beside_server, findings: [{kind, subject, message, repaired}]}");
  app->footer(
      "Ends with 0 where nothing is wrong (any more), with 1 where problems are left, with 2 where it could not "
      "look.\n\nExample:\n  bothy doctor --data /srv/bothy --repair");
  runner.Set(app, [options] { return Run(*options); });
}
