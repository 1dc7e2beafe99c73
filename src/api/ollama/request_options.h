// What Ollama's requests have in common: https://github.com/ollama/ollama/blob/main/docs/api.md, ollama-python 0.6.
#pragma once

#include "api/protocol/fields.h"
#include "serve/chat.h"

namespace bothy::api::ollama {

// model, stream, format, keep_alive, options, logprobs and top_logprobs.
Result<void> ReadOptions(const Fields& body, serve::GenerationOptions& options);

// think: true, false, "low", "medium" or "high".
Result<void> ReadThink(const Fields& body, serve::ChatRequest& request);

// Seconds; a number, or a text such as "5m", "1h30m", "-1". Below 0: for good.
Result<std::optional<double>> ReadKeepAlive(const Fields& body);

}  // namespace bothy::api::ollama
