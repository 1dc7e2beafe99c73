// bothy system: what this machine offers the engine.
#include <sys/sysinfo.h>

#include <CLI/CLI.hpp>
#include <fstream>

#include "cli/command.h"
#include "cli/terminal.h"
#include "tensor/isa.h"
#include "tensor/thread_pool.h"

namespace bothy::cli {
namespace {

std::string ProcessorName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

Result<void> Run() {
  std::string sets;
  for (const Isa isa : SupportedIsas()) sets += (sets.empty() ? "" : ", ") + std::string(IsaName(isa));
  struct sysinfo memory{};
  sysinfo(&memory);
  fmt::print("processor         {}\n", ProcessorName());
  fmt::print("threads           {}\n", ThreadPool().threads());
  fmt::print("instruction sets  {} (in use: {})\n", sets, IsaName(CurrentIsa()));
  fmt::print("memory            {}\n", HumanBytes(uint64_t{memory.totalram} * memory.mem_unit));
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(system)(CLI::App& root, Runner& runner) {
  CLI::App* app = root.add_subcommand("system", "Show what this machine offers the engine");
  app->footer("Example:\n  bothy system");
  runner.Set(app, Run);
}
