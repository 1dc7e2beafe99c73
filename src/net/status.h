// What a request asks for and how it ended: methods, statuses, and which status an error is.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace bothy::net {

enum class Method : uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };

std::string_view MethodName(Method method);

// Nothing for a method that is not served; methods are case-sensitive.
std::optional<Method> ParseMethod(std::string_view name);

enum class Status : uint16_t {
  kContinue = 100,
  kOk = 200,
  kCreated = 201,
  kAccepted = 202,
  kNoContent = 204,
  kPartialContent = 206,
  kMovedPermanently = 301,
  kFound = 302,
  kSeeOther = 303,
  kNotModified = 304,
  kTemporaryRedirect = 307,
  kPermanentRedirect = 308,
  kBadRequest = 400,
  kUnauthorized = 401,
  kForbidden = 403,
  kNotFound = 404,
  kMethodNotAllowed = 405,
  kNotAcceptable = 406,
  kRequestTimeout = 408,
  kConflict = 409,
  kGone = 410,
  kLengthRequired = 411,
  kPreconditionFailed = 412,
  kContentTooLarge = 413,
  kUriTooLong = 414,
  kUnsupportedMediaType = 415,
  kRangeNotSatisfiable = 416,
  kExpectationFailed = 417,
  kUnprocessableContent = 422,
  kTooManyRequests = 429,
  kHeaderFieldsTooLarge = 431,
  kClientClosedRequest = 499,  // nobody is there to read it; for the access log
  kInternalServerError = 500,
  kNotImplemented = 501,
  kBadGateway = 502,
  kServiceUnavailable = 503,
  kGatewayTimeout = 504,
  kVersionNotSupported = 505,
  kInsufficientStorage = 507,
};

constexpr int Number(Status status) { return static_cast<int>(status); }

// "Not Found"; "" for one that is not in the list above.
std::string_view ReasonPhrase(Status status);

// The one place that says which status an error code is.
Status StatusOf(ErrorCode code);

// The way back, for what another server answered. Statuses below 400 are kInternal: no error to begin with.
ErrorCode ErrorCodeOf(Status status);

}  // namespace bothy::net
