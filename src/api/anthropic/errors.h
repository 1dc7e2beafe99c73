// Errors as Anthropic's clients read them: {"type": "error", "error": {"type", "message"}}.
#pragma once

#include "base/error.h"
#include "codec/json.h"
#include "net/response.h"

namespace bothy::api::anthropic {

json::object ErrorBody(const Error& error);
net::Response Refuse(const Error& error);

}  // namespace bothy::api::anthropic
