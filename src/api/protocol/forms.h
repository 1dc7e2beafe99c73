// What the answers of several protocols are written with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "net/status.h"
#include "serve/chat.h"

namespace bothy::api {

// A server-sent event. A protocol that names its events gives `event`. JSON has no line break.
std::string SentEvent(const json::value& data, std::string_view event = "");

// A text for JSON: what is no UTF-8 becomes U+FFFD, as a token's bytes may be a part of a character.
json::string JsonText(std::string_view bytes);
json::array JsonBytes(std::string_view bytes);

// JSON has no infinity: a token that cannot be is as likely as OpenAI has it.
double JsonLogProb(float log_prob);

// {"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": [...]}, as OpenAI and Ollama have it.
json::object TokenLogProbs(const serve::TokenDetail& token);

// The status of an error of an answer: a request that the model cannot take is the client's mistake, a model that is
// broken the server's.
net::Status AnswerStatus(const Error& error);

// What the client may know: an internal error's message is for the log.
std::string_view AnswerMessage(const Error& error);

}  // namespace bothy::api
