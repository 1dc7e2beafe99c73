// Whether a card is as it should be: clients ask before they push a README.
#include "api/route.h"
#include "hub/card.h"

namespace bothy::api {
namespace {

constexpr uint64_t kMaxCardBytes = 4 << 20;  // the metadata may be kMaxCardMetadataBytes, and text follows

json::array Messages(const std::vector<std::string>& texts) {
  json::array messages;
  for (const std::string& text : texts) messages.push_back(json::object{{"message", text}});
  return messages;
}

Result<Response> Validate(Call& call) {
  const json::object body = TRY(ParseObject(call.body));
  const std::string content = TRY(NeedString(body, "content"));
  const std::string type = TRY(FindString(body, "repoType")).value_or("model");
  const auto kind = KindOfName(type);
  if (!kind) {
    return Fail(ErrorCode::kInvalidArgument, "key \"repoType\": expected model, dataset, space or kernel, found \"{}\"",
                type.substr(0, 100));
  }
  const CardVerdict verdict = ValidateCard(content, *kind);
  return Json(json::object{{"errors", Messages(verdict.errors)}, {"warnings", Messages(verdict.warnings)}},
              verdict.errors.empty() ? Status::kOk : Status::kBadRequest);
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(validate_yaml)(Routes& routes) {
  routes.Add(Method::kPost, "/api/validate-yaml", Right::kBrowse, Validate, kMaxCardBytes);
}
