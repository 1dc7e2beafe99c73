// The configuration file: TOML whose keys are the long names of options. `public_url = "..."` says --public-url, and
// `upstream = "..."` in the section [mirror] says --mirror-upstream. What the command line or the environment says
// counts before what the file says.
#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <set>
#include <string>

#include "base/error.h"

namespace bothy::cli {

enum class UnknownKeys {
  kRefused,  // by the command that has all of the options
  kIgnored,
};

// Gives each option of `app` that has no value yet the one that the file has for it. Returns which.
// kInvalidArgument: the file is not TOML, or has a key or a value that no option takes; the message names line and key.
Result<std::set<const CLI::Option*>> ReadConfigFile(CLI::App& app, const std::filesystem::path& path,
                                                    UnknownKeys unknown);

// All options of `app` that a file can have, as such a file: with the values that are in use, and where each is from.
std::string ConfigText(const CLI::App& app, const std::set<const CLI::Option*>& from_file);

}  // namespace bothy::cli
