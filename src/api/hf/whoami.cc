// Who the sender of a token is.
#include "api/route.h"
#include "hub/object_id.h"

namespace bothy::api {
namespace {

Result<json::object> DescribeToken(Call& call) {
  const Token token = TRY(call.hub().tokens().Find(call.actor.token_id));
  json::object access = {
      {"displayName", token.name}, {"role", TokenRoleName(token.role)}, {"createdAt", FormatTime(token.created_at)}};
  if (token.role == TokenRole::kFineGrained) {
    access["fineGrained"] = TRY(json::Parse(WriteTokenScopes(token.scopes), "scopes of a token"));
  }
  return json::object{{"type", "access_token"}, {"accessToken", std::move(access)}};
}

Result<Response> WhoAmI(Call& call) {
  const User user = TRY(call.hub().accounts().Find(call.actor.user_id));
  json::array organizations;
  for (const Membership& member : TRY(call.hub().organizations().Of(user.id))) {
    organizations.push_back(json::object{{"type", "org"},
                                         {"id", ObjectId(member.organization.id)},
                                         {"name", member.organization.name},
                                         {"fullname", member.organization.full_name},
                                         {"email", nullptr},
                                         {"canPay", false},
                                         {"isEnterprise", false},
                                         {"avatarUrl", ""},
                                         {"roleInOrg", OrganizationRoleName(member.role)}});
  }
  json::object answer = {{"type", "user"},
                         {"id", ObjectId(user.id)},
                         {"name", user.name},
                         {"fullname", user.full_name},
                         {"email", user.email ? json::value(*user.email) : json::value(nullptr)},
                         {"emailVerified", false},
                         {"canPay", false},
                         {"isPro", false},
                         {"avatarUrl", ""},
                         {"orgs", std::move(organizations)}};
  if (call.actor.credential == Actor::Credential::kToken) answer["auth"] = TRY(DescribeToken(call));
  return Json(answer);
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(whoami)(Routes& routes) { routes.Add(Method::kGet, "/api/whoami-v2", Right::kIdentify, WhoAmI); }
