#include "api/openai/errors.h"

#include "api/protocol/fields.h"
#include "api/protocol/forms.h"

namespace bothy::api::openai {
namespace {

struct Kind {
  std::string_view type, code;
};

Kind KindOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUnauthenticated: return {"invalid_request_error", "invalid_api_key"};
    case ErrorCode::kPermissionDenied: return {"invalid_request_error", "permission_denied"};
    case ErrorCode::kNotFound: return {"invalid_request_error", "model_not_found"};
    case ErrorCode::kOutOfRange: return {"invalid_request_error", "context_length_exceeded"};
    case ErrorCode::kUnimplemented: return {"invalid_request_error", "unsupported"};
    case ErrorCode::kUnavailable: return {"server_error", "service_unavailable"};
    default: break;
  }
  return net::Number(AnswerStatus(error)) < 500 ? Kind{"invalid_request_error", ""} : Kind{"server_error", ""};
}

json::value OrNull(std::string_view text) { return text.empty() ? json::value() : json::value(json::string(text)); }

}  // namespace

json::object ErrorBody(const Error& error) {
  const auto [type, code] = KindOf(error);
  return {{"error",
           {{"message", JsonText(AnswerMessage(error))},
            {"type", type},
            {"param", OrNull(FieldOf(error.message))},
            {"code", OrNull(code)}}}};
}

net::Response Refuse(const Error& error) {
  return net::Response::Json(AnswerStatus(error), json::Serialize(ErrorBody(error)));
}

}  // namespace bothy::api::openai
