// Where the hub's data are: the options that serve and the administrator's commands share.
#pragma once

#include <memory>
#include <string>

#include "hub/hub.h"

namespace CLI {
class App;
}

namespace bothy::cli {

struct HubPlace {
  std::string data;      // empty: BOTHY_DATA, else ~/.local/share/bothy
  std::string database;  // empty: bothy.db in it
};

void AddHubOptions(CLI::App& app, HubPlace& place);
Result<std::unique_ptr<Hub>> OpenHub(const HubPlace& place);

}  // namespace bothy::cli
