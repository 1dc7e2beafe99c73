// POST /v1/messages and /v1/messages/count_tokens, asked: https://docs.anthropic.com/en/api/messages,
// anthropic-sdk-python.
#pragma once

#include "codec/json.h"
#include "serve/answer.h"

namespace bothy::api::anthropic {

Result<serve::Exchange> ParseMessages(const json::object& body);

// The same without what only an answer needs; the answer is {"input_tokens": of its prompt}.
Result<serve::ChatRequest> ParseCountTokens(const json::object& body);
json::object TokenCountBody(size_t tokens);

}  // namespace bothy::api::anthropic
