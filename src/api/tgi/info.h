// Text Generation Inference's GET /info and POST /tokenize, and what the Hub's tasks say that are not here yet.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "serve/chat.h"

namespace bothy::api::tgi {

struct ServerInfo {
  std::string model, revision, dtype, version;
  std::string task = "text-generation";
  int64_t max_concurrent_requests = 0;
  int64_t context_length = 0;
};
json::object InfoBody(const ServerInfo& info);

struct TokenizeRequest {
  std::string text;
  bool add_special_tokens = true;
};
Result<TokenizeRequest> ParseTokenize(const json::object& body);

struct TextToken {
  int32_t id = 0;
  std::string text;
  size_t start = 0, stop = 0;  // characters of the text
};
json::array TokenizeBody(std::span<const TextToken> tokens);

// Whether POST /models/{id} answers this task of a model (its pipeline_tag); kUnimplemented names what is missing.
Result<void> CheckTask(std::string_view pipeline_tag);

}  // namespace bothy::api::tgi
