// Text Generation Inference's routes, and the task routes of Hugging Face's inference.
#include "api/serving/answer.h"
#include "api/tgi/format.h"
#include "api/tgi/generate.h"

namespace bothy::api {
namespace {

template <tgi::Route kRoute>
Result<serve::Exchange> Parse(const json::object& body) {
  return tgi::ParseGenerate(body, kRoute);
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(serving_tgi)(Routes& routes) {
  routes.AddModel(Method::kPost, "/generate", Answer<Parse<tgi::Route::kGenerate>, tgi::Refuse>, kMaxRequestBytes);
  routes.AddModel(Method::kPost, "/generate_stream", Answer<Parse<tgi::Route::kStream>, tgi::Refuse>, kMaxRequestBytes);
  routes.AddModel(Method::kPost, "/", Answer<Parse<tgi::Route::kTask>, tgi::Refuse>, kMaxRequestBytes);
}
