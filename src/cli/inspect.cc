// bothy inspect: what a model file holds.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/inspect_report.h"
#include "cli/model_options.h"

namespace bothy::cli {
namespace {

struct Options {
  std::string path;
  InspectOptions inspect;
  bool no_tensors = false;
  bool json = false;
};

Result<void> Run(Options options) {
  options.inspect.tensors = !options.no_tensors;
  const ModelFiles files = TRY(OpenModelFiles(TRY(ResolveModel(options.path))));
  if (options.json) {
    fmt::print("{}\n", json::Serialize(InspectJson(files, options.inspect)));
  } else {
    fmt::print("{}", InspectText(files, options.inspect));
  }
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(inspect)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("inspect", "Show what a model holds: metadata, types, tensors");
  app->add_option(
         "path", options->path,
         "A folder, a .gguf, .safetensors, PyTorch or llama2.c file, or ns/name[@revision][:file] in the cache")
      ->required();
  app->add_flag("--json", options->json, "Print one JSON object (docs/inspect.md)");
  app->add_flag("--full", options->inspect.full, "Show long arrays and texts whole");
  app->add_flag("--no-tensors", options->no_tensors, "Leave the table of tensors out");
  app->footer("Example:\n  bothy inspect model.gguf --json | jq .parameters");
  runner.Set(app, [options] { return Run(*options); });
}
