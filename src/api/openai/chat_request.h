// POST /v1/chat/completions, asked: https://platform.openai.com/docs/api-reference/chat, openai-python 2. Text
// Generation Inference's route of that name is the same.
#pragma once

#include "codec/json.h"
#include "serve/answer.h"

namespace bothy::api::openai {

Result<serve::Exchange> ParseChat(const json::object& body);

}  // namespace bothy::api::openai
