// Ollama's routes.
#include "api/ollama/chat.h"
#include "api/ollama/format.h"
#include "api/ollama/models.h"
#include "api/serving/answer.h"

namespace bothy::api {
namespace {

// Editors ask for the version before they offer a model, and go by what Ollama's could do.
constexpr std::string_view kVersion = "0.12.0";

Result<Response> Version(Call&) { return Json(ollama::VersionBody(kVersion)); }

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(serving_ollama)(Routes& routes) {
  routes.AddModel(Method::kPost, "/api/chat", Answer<ollama::ParseChat, ollama::Refuse>, kMaxRequestBytes);
  routes.AddModel(Method::kPost, "/api/generate", Answer<ollama::ParseGenerate, ollama::Refuse>, kMaxRequestBytes);
  routes.AddModel(Method::kGet, "/api/version", Version);
}
