#include "api/anthropic/errors.h"

#include "api/protocol/forms.h"

namespace bothy::api::anthropic {
namespace {

std::string_view TypeOf(net::Status status) {
  switch (status) {
    case net::Status::kUnauthorized: return "authentication_error";
    case net::Status::kForbidden: return "permission_error";
    case net::Status::kNotFound: return "not_found_error";
    case net::Status::kContentTooLarge: return "request_too_large";
    case net::Status::kTooManyRequests: return "rate_limit_error";
    case net::Status::kServiceUnavailable: return "overloaded_error";
    default:
      return net::Number(status) < 500 || status == net::Status::kNotImplemented ? "invalid_request_error"
                                                                                 : "api_error";
  }
}

}  // namespace

json::object ErrorBody(const Error& error) {
  return {{"type", "error"},
          {"error", {{"type", TypeOf(AnswerStatus(error))}, {"message", JsonText(AnswerMessage(error))}}},
          {"request_id", nullptr}};
}

net::Response Refuse(const Error& error) {
  // Clients try 5xx again.
  const bool never = error.code == ErrorCode::kUnimplemented;
  return net::Response::Json(never ? net::Status::kBadRequest : AnswerStatus(error), json::Serialize(ErrorBody(error)));
}

}  // namespace bothy::api::anthropic
