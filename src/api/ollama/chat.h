// POST /api/chat and /api/generate, asked.
#pragma once

#include "codec/json.h"
#include "serve/answer.h"

namespace bothy::api::ollama {

Result<serve::Exchange> ParseChat(const json::object& body);
Result<serve::Exchange> ParseGenerate(const json::object& body);

}  // namespace bothy::api::ollama
