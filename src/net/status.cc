#include "net/status.h"

namespace bothy::net {

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kGet: return "GET";
    case Method::kHead: return "HEAD";
    case Method::kPost: return "POST";
    case Method::kPut: return "PUT";
    case Method::kPatch: return "PATCH";
    case Method::kDelete: return "DELETE";
    case Method::kOptions: return "OPTIONS";
  }
  return "";
}

std::optional<Method> ParseMethod(std::string_view name) {
  for (const Method method :
       {Method::kGet, Method::kHead, Method::kPost, Method::kPut, Method::kPatch, Method::kDelete, Method::kOptions}) {
    if (MethodName(method) == name) return method;
  }
  return std::nullopt;
}

std::string_view ReasonPhrase(Status status) {
  switch (status) {
    case Status::kContinue: return "Continue";
    case Status::kOk: return "OK";
    case Status::kCreated: return "Created";
    case Status::kAccepted: return "Accepted";
    case Status::kNoContent: return "No Content";
    case Status::kPartialContent: return "Partial Content";
    case Status::kMovedPermanently: return "Moved Permanently";
    case Status::kFound: return "Found";
    case Status::kSeeOther: return "See Other";
    case Status::kNotModified: return "Not Modified";
    case Status::kTemporaryRedirect: return "Temporary Redirect";
    case Status::kPermanentRedirect: return "Permanent Redirect";
    case Status::kBadRequest: return "Bad Request";
    case Status::kUnauthorized: return "Unauthorized";
    case Status::kForbidden: return "Forbidden";
    case Status::kNotFound: return "Not Found";
    case Status::kMethodNotAllowed: return "Method Not Allowed";
    case Status::kNotAcceptable: return "Not Acceptable";
    case Status::kRequestTimeout: return "Request Timeout";
    case Status::kConflict: return "Conflict";
    case Status::kGone: return "Gone";
    case Status::kLengthRequired: return "Length Required";
    case Status::kPreconditionFailed: return "Precondition Failed";
    case Status::kContentTooLarge: return "Content Too Large";
    case Status::kUriTooLong: return "URI Too Long";
    case Status::kUnsupportedMediaType: return "Unsupported Media Type";
    case Status::kRangeNotSatisfiable: return "Range Not Satisfiable";
    case Status::kExpectationFailed: return "Expectation Failed";
    case Status::kUnprocessableContent: return "Unprocessable Content";
    case Status::kTooManyRequests: return "Too Many Requests";
    case Status::kHeaderFieldsTooLarge: return "Request Header Fields Too Large";
    case Status::kClientClosedRequest: return "Client Closed Request";
    case Status::kInternalServerError: return "Internal Server Error";
    case Status::kNotImplemented: return "Not Implemented";
    case Status::kBadGateway: return "Bad Gateway";
    case Status::kServiceUnavailable: return "Service Unavailable";
    case Status::kGatewayTimeout: return "Gateway Timeout";
    case Status::kVersionNotSupported: return "HTTP Version Not Supported";
    case Status::kInsufficientStorage: return "Insufficient Storage";
  }
  return "";
}

Status StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
    case ErrorCode::kInvalidArgument: return Status::kBadRequest;
    case ErrorCode::kUnauthenticated: return Status::kUnauthorized;
    case ErrorCode::kPermissionDenied: return Status::kForbidden;
    case ErrorCode::kNotFound: return Status::kNotFound;
    case ErrorCode::kAlreadyExists: return Status::kConflict;
    case ErrorCode::kFailedPrecondition: return Status::kPreconditionFailed;
    case ErrorCode::kOutOfRange: return Status::kRangeNotSatisfiable;
    case ErrorCode::kCorrupt: return Status::kUnprocessableContent;
    case ErrorCode::kResourceExhausted: return Status::kContentTooLarge;
    case ErrorCode::kCancelled: return Status::kClientClosedRequest;
    case ErrorCode::kUnimplemented: return Status::kNotImplemented;
    case ErrorCode::kUnavailable: return Status::kServiceUnavailable;
    case ErrorCode::kInternal: return Status::kInternalServerError;
  }
  return Status::kInternalServerError;
}

ErrorCode ErrorCodeOf(Status status) {
  switch (status) {
    case Status::kUnauthorized: return ErrorCode::kUnauthenticated;
    case Status::kForbidden: return ErrorCode::kPermissionDenied;
    case Status::kNotFound:
    case Status::kGone: return ErrorCode::kNotFound;
    case Status::kConflict: return ErrorCode::kAlreadyExists;
    case Status::kPreconditionFailed: return ErrorCode::kFailedPrecondition;
    case Status::kContentTooLarge: return ErrorCode::kResourceExhausted;
    case Status::kRangeNotSatisfiable: return ErrorCode::kOutOfRange;
    case Status::kUnprocessableContent: return ErrorCode::kCorrupt;
    case Status::kNotImplemented: return ErrorCode::kUnimplemented;
    case Status::kRequestTimeout:
    case Status::kTooManyRequests:
    case Status::kBadGateway:
    case Status::kServiceUnavailable:
    case Status::kGatewayTimeout: return ErrorCode::kUnavailable;
    default: break;
  }
  return Number(status) >= 400 && Number(status) < 500 ? ErrorCode::kInvalidArgument : ErrorCode::kInternal;
}

}  // namespace bothy::net
