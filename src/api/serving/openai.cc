// OpenAI's routes.
#include "api/openai/chat_request.h"
#include "api/openai/completions.h"
#include "api/openai/embeddings.h"
#include "api/openai/errors.h"
#include "api/openai/responses_request.h"
#include "api/serving/answer.h"
#include "serve/serving.h"

namespace bothy::api {
namespace {

Result<Response> ListModels(Call& call) {
  std::vector<openai::ModelEntry> models;
  if (serve::Serving* const serving = call.service.serving) {
    for (const std::string& name : serving->LocalNames()) models.push_back({.id = name, .owner = "local"});
    for (const serve::PoolEntry& entry : serving->pool().List()) {
      const auto found = serving->Find(call.actor, entry.model);
      const bool shown = found && std::ranges::find(models, entry.model, &openai::ModelEntry::id) == models.end();
      if (shown) models.push_back({.id = entry.model, .owner = entry.model.substr(0, entry.model.find('/'))});
    }
  }
  return Json(openai::ModelsBody(models));
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(serving_openai)(Routes& routes) {
  routes.AddModel(Method::kPost, "/v1/chat/completions", Answer<openai::ParseChat, openai::Refuse>, kMaxRequestBytes);
  routes.AddModel(Method::kPost, "/v1/completions", Answer<openai::ParseCompletion, openai::Refuse>, kMaxRequestBytes);
  routes.AddModel(Method::kPost, "/v1/responses", Answer<openai::ParseResponses, openai::Refuse>, kMaxRequestBytes);
  routes.AddModel(Method::kGet, "/v1/models", ListModels);
}
