// The git program, for what libgit2 does not do: smart HTTP, repacking, and walks over every object.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/subprocess.h"
#include "store/git/repository.h"

namespace bothy::git {

struct GitOptions {
  std::vector<std::string> configuration;  // "key=value", beside the repository's own
  std::vector<std::string> environment;    // "NAME=value", beside PATH and what keeps other configuration out
  std::chrono::milliseconds timeout{0};    // 0 is none
};

// Starts `git ARGUMENTS...` in the repository. No argument may come from outside unless what is before it ends options
// ("--", "--end-of-options"), and none is ever read by a shell.
Result<std::unique_ptr<Subprocess>> StartGit(const GitRepository& repository, std::vector<std::string> arguments,
                                             const GitOptions& options = {});

// Runs it to its end without input; `consume` gets the output as it comes. Another exit status than 0 is kInternal.
Result<void> RunGit(const GitRepository& repository, std::vector<std::string> arguments, const GitOptions& options,
                    const Subprocess::Consumer& consume);

}  // namespace bothy::git
