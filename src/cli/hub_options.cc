#include "cli/hub_options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace bothy::cli {

void AddHubOptions(CLI::App& app, HubPlace& place) {
  app.add_option("--data", place.data, "The hub's folder of data (~/.local/share/bothy)")->envname("BOTHY_DATA");
  app.add_option("--database", place.database, "sqlite:PATH or postgresql://... (bothy.db in the folder of data)")
      ->envname("BOTHY_DATABASE");
}

Result<std::unique_ptr<Hub>> OpenHub(const HubPlace& place) {
  std::filesystem::path data = place.data;
  if (data.empty()) {
    const char* share = std::getenv("XDG_DATA_HOME");
    const char* home = std::getenv("HOME");
    if (share != nullptr && *share != '\0') {
      data = std::filesystem::path(share) / "bothy";
    } else if (home != nullptr && *home != '\0') {
      data = std::filesystem::path(home) / ".local/share/bothy";
    } else {
      return Fail(ErrorCode::kUsage, "HOME is not set: say where the hub's data are by --data or BOTHY_DATA");
    }
  }
  return Hub::Open({.data = data, .database = place.database});
}

}  // namespace bothy::cli
