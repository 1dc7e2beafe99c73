// `hf auth login`: a device asks for a code, and for its tokens once that was confirmed on /device (RFC 8628).
#include <fmt/format.h>

#include "api/login_limits.h"
#include "api/route.h"
#include "api/web/form.h"

namespace bothy::api {
namespace {

constexpr std::string_view kDeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";
constexpr std::string_view kRefreshGrant = "refresh_token";

// RFC 6749, section 5.2.
Response OauthFailure(std::string_view error, std::string_view description) {
  return Json(json::object{{"error", error}, {"error_description", description}}, Status::kBadRequest)
      .With("Cache-Control", "no-store");
}

Response MalformedRequest(const Error& error) { return OauthFailure("invalid_request", error.message); }

std::string_view Describe(OauthError error) {
  switch (error) {
    case OauthError::kAuthorizationPending: return "The login was not confirmed yet.";
    case OauthError::kSlowDown: return "Ask less often: wait 5 seconds longer than before.";
    case OauthError::kExpiredToken: return "The code has expired. Start the login again.";
    case OauthError::kAccessDenied: return "The login was denied.";
    case OauthError::kInvalidGrant: return "The refresh token is expired, revoked or unknown. Log in again.";
  }
  return "";
}

Result<Response> Begin(Call& call) {
  const auto form = ParseForm(call);
  if (!form) return MalformedRequest(form.error());
  const Allowance allowance = call.service.login_limits.devices.Take(AddressKey(call.request.remote));
  if (!allowance.allowed) {
    return Refuse(Status::kTooManyRequests, "",
                  fmt::format("Too many logins of devices. Try again in {} seconds.", allowance.reset.count()))
        .With("Retry-After", std::to_string(allowance.reset.count()));
  }
  const auto begun =
      call.hub().device_logins().Begin(form->Find("client_id").value_or(""), form->Find("scope").value_or(""));
  if (!begun) {
    const Error& error = begun.error();
    if (error.code == ErrorCode::kInvalidArgument) return MalformedRequest(error);
    if (error.code == ErrorCode::kResourceExhausted) return Refuse(Status::kServiceUnavailable, "", error.message);
    return tl::unexpected(error);
  }
  const std::string address = call.request.base_url + "/device";
  return Json(json::object{{"device_code", begun->device_code},
                           {"user_code", begun->user_code},
                           {"verification_uri", address},
                           {"verification_uri_complete", address + "?user_code=" + begun->user_code},
                           {"expires_in", begun->expires_in.count()},
                           {"interval", begun->interval.count()}})
      .With("Cache-Control", "no-store");
}

Result<Response> GiveTokens(Call& call) {
  const auto form = ParseForm(call);
  if (!form) return MalformedRequest(form.error());
  const auto grant = form->Find("grant_type");
  const auto client_id = form->Find("client_id");
  if (!grant || !client_id) return OauthFailure("invalid_request", "grant_type and client_id are needed");
  const bool refreshes = *grant == kRefreshGrant;
  if (!refreshes && *grant != kDeviceGrant) {
    return OauthFailure("unsupported_grant_type", "Devices get tokens here, and renew them");
  }
  const std::string_view field = refreshes ? "refresh_token" : "device_code";
  const auto secret = form->Find(field);
  if (!secret) return OauthFailure("invalid_request", fmt::format("{} is needed", field));

  DeviceLogins& logins = call.hub().device_logins();
  const OauthAnswer answer = TRY(refreshes ? logins.Refresh(*secret, *client_id) : logins.Poll(*secret, *client_id));
  if (!answer) return OauthFailure(OauthErrorName(answer.error()), Describe(answer.error()));
  return Json(json::object{{"access_token", answer->access_token},
                           {"token_type", "bearer"},
                           {"expires_in", answer->expires_in.count()},
                           {"refresh_token", answer->refresh_token}})
      .With("Cache-Control", "no-store");
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(device_login)(Routes& routes) {
  // The form holds all that counts: a token that has expired and is sent along must not stop its own renewal.
  routes.AddGranted(Method::kPost, "/oauth/device", Begin, kMaxFormBytes);
  routes.AddGranted(Method::kPost, "/oauth/token", GiveTokens, kMaxFormBytes);
}
