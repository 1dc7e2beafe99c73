// What the answers to git-lfs share: their media type, and how it is told of errors.
#pragma once

#include "api/route.h"

namespace bothy::api {

inline constexpr std::string_view kLfsMediaType = "application/vnd.git-lfs+json";

Response LfsJson(const json::value& value, Status status = Status::kOk);

// A refusal in the form that git-lfs shows: {"message", "request_id"}. What the hub's other clients read stays.
Response AsLfsError(const Call& call, Response refusal);

// A handler whose errors and refusals are told in that form.
template <Result<Response> (*kHandler)(Call& call)>
Result<Response> LfsHandler(Call& call) {
  auto answered = kHandler(call);
  Response response = answered ? *std::move(answered) : Refuse(answered.error(), "");
  if (net::Number(response.status) >= 400 && response.headers.Has("X-Error-Message")) {
    return AsLfsError(call, std::move(response));
  }
  return response;
}

// Where to send or fetch something, and until when.
json::object LfsAction(std::string href, Timestamp expires);

// A whole number of a body; kInvalidArgument where it is missing, negative or none.
Result<uint64_t> NeedSize(const json::object& from, std::string_view key);

// A SHA-256 as git-lfs writes it: 64 lower-case hexadecimal digits.
bool IsLfsOid(std::string_view text);

}  // namespace bothy::api
