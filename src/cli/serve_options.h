// What a server can be told: by options, by the environment, and by the configuration.
#pragma once

#include <string>
#include <vector>

#include "cli/hub_options.h"

namespace bothy::cli {

struct ServeOptions {
  HubPlace place;
  std::vector<std::string> listen = {"127.0.0.1:8080"};
  std::string public_url;
  std::vector<std::string> trusted_proxies;
  std::vector<std::string> cors_origins = {"*"};
  std::string certificate, key;
  std::string log_level = "info";
  int grace_seconds = 30;
  int gc_hours = 24;            // 0: never
  std::string mirror_upstream;  // the address of another hub; empty: none
  std::string mirror_token_file;
  int mirror_refresh_seconds = 60;
  std::vector<std::string> models;   // to serve beside the hub's
  std::vector<std::string> aliases;  // their names, in order
  std::string default_model;
  std::string api_key;  // for the models
  int threads = 0;
  uint64_t models_memory = 0, cache_memory = uint64_t{4} << 30;  // bytes
  size_t context = 0;
};

void AddServeOptions(CLI::App& app, ServeOptions& options);

}  // namespace bothy::cli
