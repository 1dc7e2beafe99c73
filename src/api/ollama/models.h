// Ollama's lists: GET /api/tags, /api/ps, /api/version, POST /api/show, /api/embed and /api/embeddings.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/json.h"
#include "serve/chat.h"

namespace bothy::api::ollama {

struct ModelDetails {
  std::string format;              // "gguf", "safetensors"
  std::string family;              // "llama"
  std::string parameter_size;      // "1.1B"
  std::string quantization_level;  // "Q4_0"
};

struct ModelEntry {
  std::string name;
  int64_t modified = 0;  // seconds since 1970
  uint64_t size = 0;
  std::string digest;  // hexadecimal
  ModelDetails details;
};
json::object TagsBody(std::span<const ModelEntry> models);

struct LoadedModel {
  ModelEntry model;
  int64_t expires = 0;  // seconds since 1970
  uint64_t accelerator_bytes = 0;
  int64_t context_length = 0;
};
json::object LoadedBody(std::span<const LoadedModel> models);

struct ModelCard {
  std::string license, chat_template;
  json::object parameters;  // of generation_config.json or the like; shown as lines
  json::object metadata;    // as in a GGUF file: "general.architecture", "llama.context_length" ...
  ModelDetails details;
  int64_t modified = 0;
  bool completes = true, calls_tools = false, thinks = false, embeds = false;
};
json::object ShowBody(const ModelCard& card);
Result<std::string> ParseShow(const json::object& body);  // which model

json::object VersionBody(std::string_view version);

struct EmbeddingExchange {
  serve::EmbeddingRequest request;
  bool old = false;  // of /api/embeddings: one vector
};
Result<EmbeddingExchange> ParseEmbed(const json::object& body);
Result<EmbeddingExchange> ParseEmbeddings(const json::object& body);
json::object EmbeddingBody(const EmbeddingExchange& exchange, std::string_view model,
                           const std::vector<std::vector<float>>& vectors, const serve::Summary& summary);

}  // namespace bothy::api::ollama
