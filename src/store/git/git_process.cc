#include "store/git/git_process.h"

#include <cstdlib>

namespace bothy::git {

Result<std::unique_ptr<Subprocess>> StartGit(const GitRepository& repository, std::vector<std::string> arguments,
                                             const GitOptions& options) {
  SubprocessOptions process;
  process.arguments = {"git", "--git-dir=."};
  // Hooks are ours to decide; what lies in a repository's folder is never run. Its owner may be another number.
  for (const std::string_view setting : {"core.hooksPath=/dev/null", "safe.directory=*"}) {
    process.arguments.emplace_back("-c");
    process.arguments.emplace_back(setting);
  }
  for (const std::string& setting : options.configuration) {
    process.arguments.emplace_back("-c");
    process.arguments.push_back(setting);
  }
  for (std::string& argument : arguments) process.arguments.push_back(std::move(argument));
  const char* path = std::getenv("PATH");
  process.environment = {fmt::format("PATH={}", path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin"),
                         "LC_ALL=C",
                         "HOME=/nonexistent",
                         "GIT_CONFIG_NOSYSTEM=1",
                         "GIT_CONFIG_GLOBAL=/dev/null",
                         "GIT_TERMINAL_PROMPT=0",
                         "GIT_OPTIONAL_LOCKS=0",
                         "GIT_NO_REPLACE_OBJECTS=1",
                         "GIT_PROTOCOL_FROM_USER=0"};
  for (const std::string& variable : options.environment) process.environment.push_back(variable);
  process.folder = repository.path();
  process.timeout = options.timeout;
  return Subprocess::Start(process);
}

Result<void> RunGit(const GitRepository& repository, std::vector<std::string> arguments, const GitOptions& options,
                    const Subprocess::Consumer& consume) {
  const std::string what = arguments.empty() ? "git" : "git " + arguments[0];
  const auto process = TRY(StartGit(repository, std::move(arguments), options));
  const int status = TRY(process->Exchange([]() -> Result<std::string_view> { return std::string_view(); }, consume));
  if (status == 0) return {};
  std::string_view said = process->error_output();
  while (said.ends_with('\n')) said.remove_suffix(1);
  return Fail(ErrorCode::kInternal, "{} of {} ended with status {}: {}", what, repository.name(), status, said);
}

}  // namespace bothy::git
