// Tokens for Xet's storage: given out by the hub, shown to the storage.
#include "api/xet/grant.h"

#include <fmt/format.h>

#include "hub/usage.h"

namespace bothy::api {
namespace {

Result<Response> Grant(Call& call, bool write) {
  const Timestamp expires = call.hub().now() + kXetGrantLifetime;
  const std::string token =
      SignXetGrant(call.hub().signatures(),
                   {.write = write, .repository_id = call.repository().id, .user_id = call.actor.user_id}, expires);
  const std::string address = call.request.base_url + std::string(kXetPrefix);
  const int64_t seconds = std::chrono::floor<std::chrono::seconds>(expires).time_since_epoch().count();
  // Some clients read the fields, others the body.
  return Json(json::object{{"casUrl", address}, {"accessToken", token}, {"exp", seconds}})
      .With("X-Xet-Cas-Url", address)
      .With("X-Xet-Access-Token", token)
      .With("X-Xet-Token-Expiration", std::to_string(seconds));
}

Result<Response> GrantReading(Call& call) { return Grant(call, false); }

// The revision need not be there: with a pull request that is yet to be made clients say "None".
Result<Response> GrantWriting(Call& call) {
  if (auto refusal = call.CommitRefusal(call.Parameter("revision"))) return *std::move(refusal);
  TRY(CheckQuota(call.hub().database(), call.repository().owner_id, 1));  // before anything is sent in vain
  return Grant(call, true);
}

}  // namespace

tl::expected<XetGrant, Response> NeedXetGrant(Call& call, bool write) {
  std::string_view field = call.request.headers.Find("Authorization").value_or("");
  constexpr std::string_view kBearer = "Bearer ";
  std::optional<XetGrant> grant;
  if (field.starts_with(kBearer)) grant = OpenXetGrant(call.hub().signatures(), field.substr(kBearer.size()));
  if (!grant) {
    return tl::unexpected(Refuse(Status::kUnauthorized, "",
                                 "The token of Xet's storage is missing, wrong or has expired: ask the hub for one"));
  }
  if (write && !grant->write) {
    return tl::unexpected(Refuse(Status::kForbidden, "", "This token of Xet's storage is for reading only"));
  }
  return *grant;
}

Result<xet::Hash> HashOf(const Call& call) {
  const std::string& text = call.Parameter("hash");
  if (const auto hash = xet::FromText(text)) return *hash;
  return Fail(ErrorCode::kInvalidArgument, "expected a hash of 64 hexadecimal digits, found \"{}\"",
              std::string_view(text).substr(0, 100));
}

}  // namespace bothy::api

BOTHY_ROUTES(xet_grant)(Routes& routes) {
  routes.Repository(Method::kGet, "/xet-read-token/{revision}", Right::kReadContent, GrantReading);
  routes.Repository(Method::kGet, "/xet-write-token/{revision}", Right::kSee, GrantWriting);
}
