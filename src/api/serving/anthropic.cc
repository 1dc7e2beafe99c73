// Anthropic's routes.
#include "api/anthropic/errors.h"
#include "api/anthropic/messages_request.h"
#include "api/serving/answer.h"

BOTHY_ROUTES(serving_anthropic)(Routes& routes) {
  routes.AddModel(Method::kPost, "/v1/messages", Answer<anthropic::ParseMessages, anthropic::Refuse>, kMaxRequestBytes);
}
