// Where the hub's data are: the options that serve and the administrator's commands share.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "cli/config_file.h"
#include "hub/hub.h"

namespace bothy::cli {

struct HubPlace {
  std::string data;      // empty: BOTHY_DATA, else ~/.local/share/bothy
  std::string database;  // empty: bothy.db in it
  std::string config;    // empty: bothy.toml in the folder of data, where there is one

  std::set<const CLI::Option*> from_config{};  // the options that the configuration gave a value
};

// Also has the options that `app` lacks a value for read from the configuration, whichever of them were added.
void AddHubOptions(CLI::App& app, HubPlace& place, UnknownKeys unknown = UnknownKeys::kIgnored);

Result<std::filesystem::path> DataFolder(const HubPlace& place);
Result<std::unique_ptr<Hub>> OpenHub(const HubPlace& place);
// For commands that are about what is there: kNotFound where there is no hub, instead of making one.
Result<std::unique_ptr<Hub>> OpenExistingHub(const HubPlace& place);

}  // namespace bothy::cli
