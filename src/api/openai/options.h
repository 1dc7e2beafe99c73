// What requests of chat and of plain completions have in common.
#pragma once

#include "api/protocol/fields.h"
#include "serve/chat.h"

namespace bothy::api::openai {

// Model, sampling, n, stop, seed, stream, stream_options, user and what other servers of this protocol take besides
// (top_k, min_p, typical_p, repetition_penalty, min_tokens, ignore_eos, grammar as GBNF).
Result<void> ReadOptions(const Fields& body, serve::GenerationOptions& options);

// response_format; also Text Generation Inference's {"type": "json" | "regex", "value": ...}.
Result<serve::ResponseFormat> ReadResponseFormat(const Fields& body, std::string_view key);

}  // namespace bothy::api::openai
