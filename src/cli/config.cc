// bothy config: the configuration that a server has, or would have.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/serve_options.h"

BOTHY_SUBCOMMAND(config)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* config = root.add_subcommand("config", "Show how a server is configured");
  config->require_subcommand(1);
  config->footer("Example:\n  bothy config show > bothy.toml");
  CLI::App* app = config->add_subcommand("show", "Print the configuration, with where each value is from");
  AddServeOptions(*app, *options);
  app->footer(
      "What is printed is a configuration itself, except for secrets, which are hidden.\n\n"
      "Example:\n  bothy config show --config bothy.toml");
  runner.Set(app, [app, options]() -> Result<void> {
    fmt::print("# {}\n\n{}", options->place.config.empty() ? "No file was read." : "Read from " + options->place.config,
               ConfigText(*app, options->place.from_config));
    return {};
  });
}
