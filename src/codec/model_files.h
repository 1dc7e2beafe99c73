// Opens what a model's path names into one thing: its arrays and what describes them. Loaders see only this, not
// whether it was a GGUF file, a Hugging Face folder, a PyTorch checkpoint or llama2.c's file.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "codec/checkpoint.h"
#include "codec/folder.h"
#include "codec/gguf_metadata.h"
#include "codec/json.h"

namespace bothy {

struct ModelFiles {
  std::string name;    // for messages: the path
  std::string format;  // "gguf", "safetensors", "pytorch", "llama2.c"
  Checkpoint checkpoint;
  std::optional<json::object> config;             // config.json
  std::optional<json::object> generation_config;  // generation_config.json
  std::optional<GgufMetadata> gguf;               // a GGUF file's metadata; then there is no config
  // Rows of q and k are stored in pairs, as llama2.c does (and GGUF's llama architecture, which needs no flag).
  bool rope_interleaved = false;
  // Where tokenizer.json and its like are: the folder that was opened, or the one the file lies in.
  std::shared_ptr<const Folder> folder;
};

// A folder in the Hugging Face layout, or one with a single GGUF model; a .gguf file, any part of a split one; a
// .safetensors file, an index of several, a PyTorch checkpoint or a llama2.c .bin file, with the config.json beside it.
// kNotFound says what was looked for; kInvalidArgument where a folder holds several models and one has to be named.
Result<ModelFiles> OpenModelFiles(const std::filesystem::path& path);

// The same of a folder that is open: of one of its files, or where `file` is empty of the model that it holds. `name`
// is for messages.
Result<ModelFiles> OpenModelFiles(std::string name, std::shared_ptr<const Folder> folder, std::string_view file = "");

}  // namespace bothy
