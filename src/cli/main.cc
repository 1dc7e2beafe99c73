// The program: reads the command line and runs one subcommand.
//
// Exit codes: 0 done; 1 it failed, with one message on stderr; 2 wrong usage; 130 ended by Ctrl-C. A subcommand may
// have its own.
#include <CLI/CLI.hpp>

#include <cstdio>

#include "cli/command.h"
#include "cli/terminal.h"
#include "tensor/isa.h"

namespace bothy {
namespace {

int Main(int argc, char** argv) {
  CLI::App app("Bothy keeps, runs and serves open models on your own machine.", "bothy");
  app.set_version_flag("--version", "bothy " BOTHY_VERSION);
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Show the help of all subcommands");
  app.footer("Every subcommand has a --help with an example.");
  cli::Runner runner;
#define BOTHY_SUBCOMMAND_ENTRY(name) cli::Add_##name(app, runner);
#include "cli_subcommands.inc"
#undef BOTHY_SUBCOMMAND_ENTRY
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (const Result<Isa> isa = SelectIsa(); !isa) {
    fmt::print(stderr, "bothy: {}\n", isa.error().message);
    return 2;
  }
  const Result<int> result = runner.action()();
  if (result) return std::fflush(stdout) == 0 ? *result : 1;
  std::fflush(stdout);
  if (result.error().code == ErrorCode::kCancelled) return 130;
  fmt::print(stderr, "bothy: {}\n", result.error().message);
  return result.error().code == ErrorCode::kUsage ? 2 : 1;
}

}  // namespace
}  // namespace bothy

int main(int argc, char** argv) { return bothy::Main(argc, argv); }
