#include "api/openai/embeddings.h"

#include <bit>

#include "api/protocol/request_parts.h"
#include "base/base64.h"

namespace bothy::api::openai {
namespace {

constexpr int64_t kMaxDimensions = 1 << 20;

json::value VectorBody(const std::vector<float>& vector, bool base64) {
  static_assert(std::endian::native == std::endian::little, "the wire's floats are little-endian");
  if (base64) return json::value(json::string(EncodeBase64(std::as_bytes(std::span(vector)))));
  json::array out;
  out.reserve(vector.size());
  for (const float one : vector) out.push_back(one);
  return out;
}

}  // namespace

Result<EmbeddingExchange> ParseEmbeddings(const json::object& object) {
  const Fields body(object);
  EmbeddingExchange exchange;
  serve::EmbeddingRequest& request = exchange.request;
  request.model = TRY(body.String("model")).value_or("");
  request.inputs = TRY(ReadPrompts(body, "input"));
  request.dimensions = TRY(body.Int("dimensions", 1, kMaxDimensions));
  request.user = TRY(body.String("user")).value_or("");
  const std::string encoding = TRY(body.String("encoding_format")).value_or("float");
  if (encoding != "float" && encoding != "base64") {
    return body.Unexpected("encoding_format", "\"float\" or \"base64\"");
  }
  exchange.base64 = encoding == "base64";
  return exchange;
}

json::object EmbeddingsBody(const std::vector<std::vector<float>>& vectors, bool base64, std::string_view model,
                            size_t prompt_tokens) {
  json::array data;
  for (const std::vector<float>& vector : vectors) {
    data.push_back({{"object", "embedding"}, {"index", data.size()}, {"embedding", VectorBody(vector, base64)}});
  }
  return {{"object", "list"},
          {"data", std::move(data)},
          {"model", model},
          {"usage", {{"prompt_tokens", prompt_tokens}, {"total_tokens", prompt_tokens}}}};
}

json::object ModelBody(const ModelEntry& model) {
  return {{"id", model.id}, {"object", "model"}, {"created", model.created}, {"owned_by", model.owner}};
}

json::object ModelsBody(std::span<const ModelEntry> models) {
  json::array data;
  for (const ModelEntry& model : models) data.push_back(ModelBody(model));
  return {{"object", "list"}, {"data", std::move(data)}};
}

}  // namespace bothy::api::openai
