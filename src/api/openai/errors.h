// Errors as OpenAI's clients read them: {"error": {"message", "type", "param", "code"}}.
#pragma once

#include "base/error.h"
#include "codec/json.h"
#include "net/response.h"

namespace bothy::api::openai {

json::object ErrorBody(const Error& error);
net::Response Refuse(const Error& error);

}  // namespace bothy::api::openai
