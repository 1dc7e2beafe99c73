// Opens what a model's path names into one thing: its arrays and what describes them. Loaders see only this, not whether
// it was a GGUF file, or a Hugging Face folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "codec/checkpoint.h"
#include "codec/gguf_metadata.h"
#include "codec/json.h"

namespace bothy {

struct ModelFiles {
  std::string name;  // for messages: the path
  Checkpoint checkpoint;
  std::optional<json::object> config;  // config.json
  std::optional<GgufMetadata> gguf;    // a GGUF file's metadata; then there is no config
  // Rows of q and k are stored in pairs, as llama2.c does (and GGUF's llama architecture, which needs no flag).
  bool rope_interleaved = false;
};

Result<ModelFiles> OpenModelFiles(const std::filesystem::path& path);

}  // namespace bothy
