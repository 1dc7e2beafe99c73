// POST /v1/responses, asked: https://platform.openai.com/docs/api-reference/responses, openai-python 2. Nothing is kept
// between requests: a conversation is the client's.
#pragma once

#include "codec/json.h"
#include "serve/answer.h"

namespace bothy::api::openai {

Result<serve::Exchange> ParseResponses(const json::object& body);

}  // namespace bothy::api::openai
