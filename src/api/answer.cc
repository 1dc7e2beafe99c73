#include "api/answer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace bothy::api {

using net::Response;
using net::Status;

Response Refuse(Status status, std::string_view code, std::string_view message) {
  Response response = Response::FromError(status, message);
  if (!code.empty()) response.headers.Set("X-Error-Code", code);
  return response;
}

Response Refuse(const Error& error, std::string_view code) {
  Response response = Response::FromError(error);
  if (error.code == ErrorCode::kNotFound) response.headers.Set("X-Error-Code", code);
  return response;
}

Response Refuse(Verdict verdict, std::string_view name, std::string_view url) {
  switch (verdict) {
    case Verdict::kAllowed: break;
    case Verdict::kNotFound:
      return Refuse(Status::kNotFound, kRepoNotFound,
                    name.empty() ? std::string("Not found") : fmt::format("Repository not found: {}", name));
    case Verdict::kUnauthenticated:
      return Refuse(Status::kUnauthorized, "", "You have to be logged in for this: send an access token");
    case Verdict::kForbidden:
      return Refuse(Status::kForbidden, "",
                    name.empty() ? std::string("You don't have the right to do this")
                                 : fmt::format("You don't have the rights for this on {}", name));
    case Verdict::kGatedUnauthenticated:
      return Refuse(Status::kUnauthorized, kGatedRepo,
                    fmt::format("Access to {} is restricted. You must have access to it and be authenticated to access "
                                "it. Please log in.",
                                name));
    case Verdict::kGatedForbidden:
      return Refuse(Status::kForbidden, kGatedRepo,
                    fmt::format("Access to {} is restricted and you are not in the authorized list. Visit {} to ask "
                                "for access.",
                                name, url));
    case Verdict::kDisabled: return Refuse(Status::kForbidden, "", "Access to this resource is disabled.");
    case Verdict::kMirror:
      return Refuse(Status::kForbidden, "", fmt::format("{} is a mirror of {}: change it there", name, url));
  }
  return Refuse(Status::kInternalServerError, "", "internal error");
}

Response Json(const json::value& value, Status status) { return Response::Json(status, json::Serialize(value)); }

std::string FormatTime(Timestamp time) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds.time_since_epoch().count()),
                     (milliseconds - seconds).count());
}

Result<json::object> ParseObject(std::string_view body) {
  if (body.empty()) return json::object();
  auto value = json::Parse(body, "the request's body");
  if (!value) return Fail(ErrorCode::kInvalidArgument, "{}", value.error().message);
  if (!value->is_object()) return Fail(ErrorCode::kInvalidArgument, "the request's body: expected a JSON object");
  return std::move(value->get_object());
}

namespace {

template <class T>
Result<T> AsArgument(Result<T> result) {
  if (!result) return Fail(ErrorCode::kInvalidArgument, "{}", result.error().message);
  return result;
}

}  // namespace

Result<std::optional<std::string>> FindString(const json::object& from, std::string_view key) {
  return AsArgument(json::GetString(from, key));
}

Result<std::optional<bool>> FindBool(const json::object& from, std::string_view key) {
  return AsArgument(json::GetBool(from, key));
}

Result<std::string> NeedString(const json::object& from, std::string_view key) {
  auto value = TRY(FindString(from, key));
  if (!value) return Fail(ErrorCode::kInvalidArgument, "the request's body: \"{}\" is missing", key);
  return *std::move(value);
}

Result<std::vector<std::string>> FindStrings(const json::object& from, std::string_view key) {
  std::vector<std::string> strings;
  const json::value* value = from.if_contains(key);
  if (value == nullptr || value->is_null()) return strings;
  const auto add = [&](const json::value& one) -> Result<void> {
    if (!one.is_string()) return Fail(ErrorCode::kInvalidArgument, "key \"{}\": expected a list of texts", key);
    strings.emplace_back(one.get_string());
    return {};
  };
  if (!value->is_array()) {
    TRY(add(*value));
    return strings;
  }
  for (const json::value& one : value->get_array()) TRY(add(one));
  return strings;
}

}  // namespace bothy::api
