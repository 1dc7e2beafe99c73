// Who asks to be let into a gated repository, and who lets them in.
#include "hub/access_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "api/hf/paging.h"
#include "api/route.h"
#include "api/web/form.h"
#include "hub/object_id.h"
#include "hub/repository_rows.h"
#include "net/media_type.h"

namespace bothy::api {
namespace {

constexpr int64_t kUsualPage = 100;

Result<json::object> RequestJson(const AccessRequestRow& row) {
  json::object user = {{"_id", ObjectId(row.user_id)}, {"user", row.user}, {"fullname", row.full_name}};
  if (row.email) user["email"] = *row.email;
  json::object request = {{"requestId", ObjectId(row.id)},
                          {"user", std::move(user)},
                          {"status", AccessRequestName(row.status)},
                          {"timestamp", FormatTime(row.created_at)}};
  json::value answers = TRY(json::Parse(row.answers, "answers"));
  if (answers.is_object() && !answers.get_object().empty()) request["fields"] = std::move(answers);
  if (!row.rejection_reason.empty()) request["rejectionReason"] = row.rejection_reason;
  return request;
}

// Clients expect 400 of everything about the gate of a repository that has none.
Result<void> CheckGated(const Call& call) {
  if (call.repository().gating != Gating::kNone) return {};
  return Fail(ErrorCode::kInvalidArgument, "{} is not gated", call.repository().FullName());
}

Result<AccessRequest> StatusOfName(std::string_view name) {
  const auto status = AccessRequestOfName(name);
  if (status && *status != AccessRequest::kNone) return *status;
  return Fail(ErrorCode::kInvalidArgument, "status: expected pending, accepted or rejected, found \"{}\"",
              name.substr(0, 100));
}

Result<Response> List(Call& call) {
  TRY(CheckGated(call));
  const AccessRequest status = TRY(StatusOfName(call.Parameter("status")));
  const int64_t limit = std::min(TRY(PositiveParameter(call, "limit", kUsualPage)), AccessRequests::kMaxPage);
  const int64_t before = TRY(PositiveParameter(call, "cursor", 0));
  const AccessRequests requests(call.hub().repositories());
  const auto rows = TRY(requests.List(call.repository(), status, before, limit));
  json::array list;
  for (const AccessRequestRow& row : rows) list.push_back(TRY(RequestJson(row)));
  Response response = Json(list);
  if (std::cmp_equal(rows.size(), limit)) AddNextPage(call, limit, std::to_string(rows.back().id), response);
  return response;
}

// The name of who made the request of this id, whatever became of it.
Result<std::string> RequesterOf(const Call& call, const AccessRequests& requests, std::string_view request_id) {
  const auto id = ParseObjectId(request_id);
  if (id && *id < std::numeric_limits<int64_t>::max()) {
    for (const auto status : {AccessRequest::kPending, AccessRequest::kAccepted, AccessRequest::kRejected}) {
      const auto rows = TRY(requests.List(call.repository(), status, *id + 1, 1));
      if (!rows.empty() && rows.front().id == *id) return rows.front().user;
    }
  }
  return Fail(ErrorCode::kNotFound, "{} has no access request \"{}\"", call.repository().FullName(),
              request_id.substr(0, 100));
}

Result<Response> Handle(Call& call) {
  TRY(CheckGated(call));
  const json::object body = TRY(ParseObject(call.body));
  AccessRequests requests(call.hub().repositories());
  const AccessRequest status = TRY(StatusOfName(TRY(NeedString(body, "status"))));
  const auto request_id = TRY(FindString(body, "requestId"));
  const std::string user = request_id ? TRY(RequesterOf(call, requests, *request_id)) : TRY(NeedString(body, "user"));
  const std::string reason = TRY(FindString(body, "rejectionReason")).value_or("");
  auto handled = requests.Handle(call.repository(), user, status, reason);
  if (!handled && handled.error().code == ErrorCode::kFailedPrecondition) {
    // As the clients' documentation has it: there is no such request that could become this.
    return Refuse(Status::kNotFound, "", handled.error().message);
  }
  TRY(std::move(handled));
  return Json(json::object());
}

Result<Response> Grant(Call& call) {
  TRY(CheckGated(call));
  const json::object body = TRY(ParseObject(call.body));
  const std::string user = TRY(NeedString(body, "user"));
  auto granted = AccessRequests(call.hub().repositories()).Grant(call.repository(), user);
  if (!granted && granted.error().code == ErrorCode::kAlreadyExists) {
    return Refuse(Status::kBadRequest, "", granted.error().message);
  }
  TRY(std::move(granted));
  return Json(json::object{{"user", user}, {"status", AccessRequestName(AccessRequest::kAccepted)}});
}

// One's own.
Result<Response> Cancel(Call& call) {
  TRY(AccessRequests(call.hub().repositories()).Withdraw(call.actor, call.repository()));
  return Json(json::object());
}

// Of a form every field is an answer.
Result<std::string> FormAnswers(const Call& call) {
  json::object answers;
  for (const auto& [name, value] : TRY(ParseForm(call))) answers[name] = value;
  return json::Serialize(answers);
}

Result<Response> Ask(Call& call) {
  TRY(CheckGated(call));
  const auto type = net::MediaType::Parse(call.request.headers.Find("Content-Type").value_or(""));
  const bool is_form = type && type->essence == "application/x-www-form-urlencoded";
  const std::string answers = is_form ? TRY(FormAnswers(call)) : json::Serialize(TRY(ParseObject(call.body)));
  const AccessRequest status =
      TRY(AccessRequests(call.hub().repositories()).Ask(call.actor, call.repository(), answers));
  if (is_form) return Response::Redirect(Status::kSeeOther, RepositoryUrl(call.request, call.repository()));
  return Json(json::object{{"status", AccessRequestName(status)}});
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(access_requests)(Routes& routes) {
  routes.Repository(Method::kGet, "/user-access-request/{status}", Right::kReadAccessRequests, List);
  routes.Repository(Method::kPost, "/user-access-request/handle", Right::kManageAccessRequests, Handle);
  routes.Repository(Method::kPost, "/user-access-request/grant", Right::kManageAccessRequests, Grant);
  routes.Repository(Method::kPost, "/user-access-request/cancel", Right::kAskForAccess, Cancel);
  routes.Page(Method::kPost, "/ask-access", Right::kAskForAccess, Ask, AccessRequests::kMaxAnswerBytes);
}
