// POST /v1/embeddings and GET /v1/models: https://platform.openai.com/docs/api-reference.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "codec/json.h"
#include "serve/chat.h"

namespace bothy::api::openai {

struct EmbeddingExchange {
  serve::EmbeddingRequest request;
  bool base64 = false;  // little-endian floats in base64, which openai's Python client asks for
};
Result<EmbeddingExchange> ParseEmbeddings(const json::object& body);

json::object EmbeddingsBody(const std::vector<std::vector<float>>& vectors, bool base64, std::string_view model,
                            size_t prompt_tokens);

struct ModelEntry {
  std::string id;
  int64_t created = 0;  // seconds since 1970
  std::string owner;
};
json::object ModelBody(const ModelEntry& model);
json::object ModelsBody(std::span<const ModelEntry> models);

}  // namespace bothy::api::openai
