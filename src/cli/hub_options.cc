#include "cli/hub_options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace bothy::cli {
namespace {

Result<void> ReadConfig(CLI::App& app, HubPlace& place, UnknownKeys unknown) {
  std::filesystem::path path = place.config;
  if (path.empty()) {
    const auto data = DataFolder(place);
    if (!data || !std::filesystem::exists(path = *data / "bothy.toml")) return {};
  }
  place.from_config = TRY(ReadConfigFile(app, path, unknown));
  place.config = path.string();
  return {};
}

}  // namespace

void AddHubOptions(CLI::App& app, HubPlace& place, UnknownKeys unknown) {
  app.add_option("--data", place.data, "The hub's folder of data (~/.local/share/bothy)")->envname("BOTHY_DATA");
  app.add_option("--database", place.database, "sqlite:PATH or postgresql://... (bothy.db in the folder of data)")
      ->envname("BOTHY_DATABASE");
  app.add_option("--config", place.config, "A file with values for these options (bothy.toml in the folder of data)")
      ->envname("BOTHY_CONFIG");
  app.parse_complete_callback([&app, &place, unknown] {
    const auto read = ReadConfig(app, place, unknown);
    if (!read) throw CLI::ConfigError(read.error().message);
  });
}

Result<std::filesystem::path> DataFolder(const HubPlace& place) {
  if (!place.data.empty()) return place.data;
  const char* share = std::getenv("XDG_DATA_HOME");
  if (share != nullptr && *share != '\0') return std::filesystem::path(share) / "bothy";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return std::filesystem::path(home) / ".local/share/bothy";
  return Fail(ErrorCode::kUsage, "HOME is not set: say where the hub's data are by --data or BOTHY_DATA");
}

Result<std::unique_ptr<Hub>> OpenHub(const HubPlace& place) {
  return Hub::Open({.data = TRY(DataFolder(place)), .database = place.database});
}

Result<std::unique_ptr<Hub>> OpenExistingHub(const HubPlace& place) {
  const std::filesystem::path data = TRY(DataFolder(place));
  std::error_code error;
  if (std::filesystem::exists(place.database.empty() ? data / "bothy.db" : data, error)) return OpenHub(place);
  return Fail(ErrorCode::kNotFound, "there is no hub in {}: say where it is by --data or BOTHY_DATA", data.string());
}

}  // namespace bothy::cli
