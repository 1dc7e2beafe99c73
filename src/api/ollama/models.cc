#include "api/ollama/models.h"

#include <fmt/format.h>

#include "api/answer.h"
#include "api/ollama/request_options.h"
#include "api/protocol/request_parts.h"

namespace bothy::api::ollama {
namespace {

constexpr int64_t kMaxDimensions = 1 << 20;

json::object DetailsBody(const ModelDetails& details) {
  json::array families;
  if (!details.family.empty()) families.push_back(json::value(json::string(details.family)));
  return {{"parent_model", ""},
          {"format", details.format},
          {"family", details.family},
          {"families", std::move(families)},
          {"parameter_size", details.parameter_size},
          {"quantization_level", details.quantization_level}};
}

json::object EntryBody(const ModelEntry& model) {
  return {{"name", model.name},
          {"model", model.name},
          {"size", model.size},
          {"digest", model.digest},
          {"details", DetailsBody(model.details)}};
}

json::array Numbers(const std::vector<float>& vector) {
  json::array out;
  out.reserve(vector.size());
  for (const float one : vector) out.push_back(one);
  return out;
}

}  // namespace

json::object TagsBody(std::span<const ModelEntry> models) {
  json::array list;
  for (const ModelEntry& model : models) {
    json::object entry = EntryBody(model);
    entry["modified_at"] = FormatTime(model.modified);
    list.push_back(std::move(entry));
  }
  return {{"models", std::move(list)}};
}

json::object LoadedBody(std::span<const LoadedModel> models) {
  json::array list;
  for (const LoadedModel& loaded : models) {
    json::object entry = EntryBody(loaded.model);
    entry["expires_at"] = FormatTime(loaded.expires);
    entry["size_vram"] = loaded.accelerator_bytes;
    entry["context_length"] = loaded.context_length;
    list.push_back(std::move(entry));
  }
  return {{"models", std::move(list)}};
}

json::object ShowBody(const ModelCard& card) {
  json::array capabilities;
  if (card.completes) capabilities.push_back("completion");
  if (card.calls_tools) capabilities.push_back("tools");
  if (card.thinks) capabilities.push_back("thinking");
  if (card.embeds) capabilities.push_back("embedding");
  std::string parameters;
  for (const auto& [name, value] : card.parameters) {
    const std::string text = value.is_double() ? fmt::format("{}", value.get_double()) : json::Serialize(value);
    parameters += fmt::format("{:<30} {}\n", std::string_view(name), text);
  }
  return {{"license", card.license},
          {"modelfile", ""},
          {"parameters", parameters},
          {"template", card.chat_template},
          {"details", DetailsBody(card.details)},
          {"model_info", card.metadata},
          {"capabilities", std::move(capabilities)},
          {"modified_at", FormatTime(card.modified)}};
}

Result<std::string> ParseShow(const json::object& object) {
  const Fields body(object);
  // Its name was "name" once, and editors still say so.
  if (const auto name = TRY(body.String("model"))) return *name;
  return body.Has("name") ? body.NeedString("name") : body.NeedString("model");
}

json::object VersionBody(std::string_view version) { return {{"version", version}}; }

Result<EmbeddingExchange> ParseEmbed(const json::object& object) {
  const Fields body(object);
  EmbeddingExchange exchange;
  exchange.request.model = TRY(body.NeedString("model"));
  exchange.request.inputs = TRY(ReadPrompts(body, "input"));
  exchange.request.truncate = TRY(body.Bool("truncate")).value_or(true);
  exchange.request.dimensions = TRY(body.Int("dimensions", 1, kMaxDimensions));
  exchange.request.keep_loaded_seconds = TRY(ReadKeepAlive(body));
  return exchange;
}

Result<EmbeddingExchange> ParseEmbeddings(const json::object& object) {
  const Fields body(object);
  EmbeddingExchange exchange{.old = true};
  exchange.request.model = TRY(body.NeedString("model"));
  exchange.request.inputs.emplace_back(TRY(body.NeedString("prompt")));
  exchange.request.truncate = true;
  exchange.request.normalize = false;
  exchange.request.keep_loaded_seconds = TRY(ReadKeepAlive(body));
  return exchange;
}

json::object EmbeddingBody(const EmbeddingExchange& exchange, std::string_view model,
                           const std::vector<std::vector<float>>& vectors, const serve::Summary& summary) {
  if (exchange.old) return {{"embedding", vectors.empty() ? json::array() : Numbers(vectors[0])}};
  json::array embeddings;
  for (const std::vector<float>& vector : vectors) embeddings.push_back(Numbers(vector));
  return {{"model", model},
          {"embeddings", std::move(embeddings)},
          {"total_duration", summary.timing.total},
          {"load_duration", summary.timing.load},
          {"prompt_eval_count", summary.usage.prompt_tokens}};
}

}  // namespace bothy::api::ollama
