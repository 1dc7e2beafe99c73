#include "api/lfs/lfs_answer.h"

#include "api/git/git_route.h"

namespace bothy::api {

Response LfsJson(const json::value& value, Status status) {
  return Response::Bytes(status, kLfsMediaType, json::Serialize(value));
}

Response AsLfsError(const Call& call, Response refusal) {
  refusal.body =
      json::Serialize(json::object{{"message", std::string(MessageOf(refusal))}, {"request_id", call.request.id}});
  refusal.headers.Set("Content-Type", kLfsMediaType);
  if (const auto challenge = refusal.headers.Find("WWW-Authenticate")) {
    refusal.headers.Set("LFS-Authenticate", std::string(*challenge));
  }
  return refusal;
}

json::object LfsAction(std::string href, Timestamp expires) {
  return {{"href", std::move(href)}, {"header", json::object()}, {"expires_at", FormatTime(expires)}};
}

Result<uint64_t> NeedSize(const json::object& from, std::string_view key) {
  const auto size = json::GetInt(from, key);
  if (!size || !*size || **size < 0) {
    return Fail(ErrorCode::kInvalidArgument, "key \"{}\": expected a whole number", key);
  }
  return static_cast<uint64_t>(**size);
}

bool IsLfsOid(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace bothy::api
