// The page on which people confirm the login of a device (hub/device_login.h), and log in for it.
#include <fmt/format.h>

#include "api/login_limits.h"
#include "api/web/form.h"
#include "api/web/page.h"
#include "api/web/session.h"

namespace bothy::api {
namespace {

constexpr std::string_view kAddress = "/device";
constexpr size_t kMaxShownCode = 20;  // of what is written back into a form

std::string AddressWith(std::string_view user_code) {
  if (user_code.empty()) return std::string(kAddress);
  return fmt::format("{}?user_code={}", kAddress, net::PercentEncode(user_code.substr(0, kMaxShownCode)));
}

std::string Alert(std::string_view message) {
  return message.empty() ? "" : fmt::format("<p class=\"alert\" role=\"alert\">{}</p>\n", EscapeHtml(message));
}

Response LoginPage(Status status, std::string_view user_code, std::string_view name, std::string_view alert) {
  return Page(status, "Log in",
              fmt::format(R"(<p>Log in to confirm the login of a device.</p>
{}<form method="post" action="/device/login">
<input type="hidden" name="user_code" value="{}">
<label for="name">Name</label>
<input id="name" name="name" value="{}" autocomplete="username" autocapitalize="none" spellcheck="false" required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Log in</button>
</form>
)",
                          Alert(alert), EscapeHtml(user_code.substr(0, kMaxShownCode)), EscapeHtml(name)));
}

// Who is logged in, and a way out for who is somebody else.
std::string Identity(const WebSession& session, std::string_view user_code) {
  return fmt::format(R"(<form class="quiet" method="post" action="/device/logout">
<input type="hidden" name="csrf" value="{}">
<input type="hidden" name="user_code" value="{}">
You are logged in as <strong>{}</strong>. <button class="link">Log out</button>
</form>
)",
                     session.csrf_token(), EscapeHtml(user_code.substr(0, kMaxShownCode)),
                     EscapeHtml(session.actor.name));
}

Response CodePage(Status status, const WebSession& session, std::string_view user_code, std::string_view alert) {
  return Page(status, "Log in a device",
              fmt::format(R"({}<form method="get" action="{}">
<label for="user_code">The code that the device shows</label>
<input class="code" id="user_code" name="user_code" value="{}" placeholder="BCDF-GHJK" autocomplete="off"
 autocapitalize="characters" spellcheck="false" maxlength="{}" required>
<button>Continue</button>
</form>
{})",
                          Alert(alert), kAddress, EscapeHtml(user_code.substr(0, kMaxShownCode)), kMaxShownCode,
                          Identity(session, "")));
}

std::string Ago(Timestamp then, Timestamp now) {
  const auto minutes = std::chrono::floor<std::chrono::minutes>(now - then).count();
  if (minutes < 1) return "less than a minute ago";
  return minutes == 1 ? "a minute ago" : fmt::format("{} minutes ago", minutes);
}

Response ConfirmPage(const WebSession& session, const DeviceRequest& device, Timestamp now) {
  return Page(
      Status::kOk, "Log in this device?",
      fmt::format(
          R"(<p>Confirm only if you have just started this login yourself and your device shows the same code:</p>
<p class="code">{0}</p>
<dl>
<dt>Client</dt>
<dd>{1}</dd>
<dt>Asked</dt>
<dd>{2}</dd>
</dl>
<p>The device will be able to read and change everything that <strong>{3}</strong> can, until you revoke its token.</p>
<form class="choices" method="post" action="{4}">
<input type="hidden" name="csrf" value="{5}">
<input type="hidden" name="user_code" value="{0}">
<button name="decision" value="confirm">Confirm</button>
<button class="other" name="decision" value="deny">Deny</button>
</form>
{6})",
          EscapeHtml(device.user_code), EscapeHtml(device.client_id), Ago(device.created_at, now),
          EscapeHtml(session.actor.name), kAddress, session.csrf_token(), Identity(session, device.user_code)));
}

// A page in place of the action where its error is one that people can do something about; guesses are counted.
template <class Action>
Result<Response> WithCode(Call& call, const WebSession& session, std::string_view user_code, Action action) {
  RateLimits& wrong_codes = call.service.login_limits.wrong_codes;
  const std::string key = fmt::format("user {}", session.actor.user_id);
  const Allowance allowance = wrong_codes.Take(key);
  if (!allowance.allowed) {
    return CodePage(Status::kTooManyRequests, session, "",
                    fmt::format("Too many wrong codes. Try again in {} minutes.", allowance.reset.count() / 60 + 1))
        .With("Retry-After", std::to_string(allowance.reset.count()));
  }
  Result<Response> response = action();
  if (!response && response.error().code == ErrorCode::kNotFound) {
    return CodePage(Status::kNotFound, session, user_code,
                    "No device waits with this code. It may have expired: start the login again.");
  }
  wrong_codes.GiveBack(key);
  return response;
}

Result<Response> Show(Call& call) {
  const std::string_view user_code = call.Query("user_code");
  const auto session = TRY(FindSession(call));
  if (!session) return LoginPage(Status::kOk, user_code, "", "");
  if (user_code.empty()) return CodePage(Status::kOk, *session, "", "");
  return WithCode(call, *session, user_code, [&]() -> Result<Response> {
    const DeviceRequest device = TRY(call.hub().device_logins().Find(user_code));
    return ConfirmPage(*session, device, call.hub().now());
  });
}

Response ForeignForm() {
  return Page(Status::kForbidden, "Not from this page",
              "<p>This form was sent from another page or is too old. <a href=\"/device\">Start again.</a></p>\n"
              "<p class=\"quiet\">If it was sent from here, the server does not know the address that you use: its "
              "administrator can set it with --public-url.</p>\n");
}

Result<Response> LogIn(Call& call) {
  const net::QueryParameters form = TRY(ParseForm(call));
  if (!IsSentByOwnPage(call.request)) return ForeignForm();
  const std::string_view user_code = form.Find("user_code").value_or("");
  const std::string_view name = form.Find("name").value_or("");
  const auto user = call.hub().accounts().LogIn(name, form.Find("password").value_or(""), call.request.remote);
  if (!user) {
    const Error& error = user.error();
    switch (error.code) {
      case ErrorCode::kUnauthenticated:
        return LoginPage(Status::kUnauthorized, user_code, name, "The name or the password is wrong.");
      case ErrorCode::kPermissionDenied:
        return LoginPage(Status::kForbidden, user_code, name, "This account is disabled.");
      case ErrorCode::kResourceExhausted:
        return LoginPage(Status::kTooManyRequests, user_code, name, "Too many failed logins. Try again later.");
      default: return tl::unexpected(error);
    }
  }
  Response response = GoTo(AddressWith(user_code));
  SetSession(call.request, TRY(call.hub().sessions().Begin(user->id)), response);
  return response;
}

Result<Response> LogOut(Call& call) {
  const net::QueryParameters form = TRY(ParseForm(call));
  Response response = GoTo(AddressWith(form.Find("user_code").value_or("")));
  const auto session = TRY(FindSession(call));
  if (!session) return response;
  if (!IsSentByOwnPage(call.request) || !CsrfTokenMatches(session->secret, form.Find("csrf").value_or(""))) {
    return ForeignForm();
  }
  TRY(EndSession(call, *session, response));
  return response;
}

Result<Response> Decided(Call& call) {
  const net::QueryParameters form = TRY(ParseForm(call));
  const std::string_view user_code = form.Find("user_code").value_or("");
  const auto session = TRY(FindSession(call));
  if (!session) return GoTo(AddressWith(user_code));
  if (!IsSentByOwnPage(call.request) || !CsrfTokenMatches(session->secret, form.Find("csrf").value_or(""))) {
    return ForeignForm();
  }
  const Actor& actor = session->actor;
  if (const Verdict verdict = Decide(actor, Right::kManageAccount); verdict != Verdict::kAllowed) {
    return Refuse(verdict, "", "");
  }
  const std::string_view decision = form.Find("decision").value_or("");
  if (decision != "confirm" && decision != "deny") {
    return Fail(ErrorCode::kInvalidArgument, "decision: expected \"confirm\" or \"deny\"");
  }
  return WithCode(call, *session, user_code, [&]() -> Result<Response> {
    DeviceLogins& logins = call.hub().device_logins();
    if (decision == "deny") {
      TRY(logins.Deny(user_code, actor, call.request.remote));
      return Page(Status::kOk, "Login denied", "<p>The device was not logged in. You can close this page.</p>\n");
    }
    TRY(logins.Approve(user_code, actor, call.request.remote));
    return Page(Status::kOk, "Device logged in",
                fmt::format("<p>The device goes on by itself in a few seconds, as <strong>{}</strong>. You can close "
                            "this page.</p>\n",
                            EscapeHtml(actor.name)));
  });
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(device_page)(Routes& routes) {
  routes.AddPage(Method::kGet, std::string(kAddress), Show);
  routes.AddPage(Method::kPost, std::string(kAddress), Decided, kMaxFormBytes);
  routes.AddPage(Method::kPost, "/device/login", LogIn, kMaxFormBytes);
  routes.AddPage(Method::kPost, "/device/logout", LogOut, kMaxFormBytes);
}
