#include "api/openai/options.h"

#include "api/protocol/request_parts.h"

namespace bothy::api::openai {
namespace {

constexpr double kMaxTemperature = 2, kMaxPenalty = 2, kMaxBias = 100;
constexpr int64_t kMaxTopK = 1 << 20;
constexpr double kMinRepetition = 0.01, kMaxRepetition = 10;

Result<void> ReadBias(const Fields& body, json::object& settings) {
  const auto biases = TRY(body.Object("logit_bias"));
  if (!biases) return {};
  for (const auto& [token, bias] : biases->object()) TRY(biases->Number(token, -kMaxBias, kMaxBias));
  settings["logit_bias"] = biases->object();
  return {};
}

}  // namespace

Result<serve::ResponseFormat> ReadResponseFormat(const Fields& body, std::string_view key) {
  using Kind = serve::ResponseFormat::Kind;
  const auto from = TRY(body.Object(key));
  if (!from) return serve::ResponseFormat{};
  const std::string type = TRY(from->NeedString("type"));
  if (type == "text") return serve::ResponseFormat{};
  if (type == "json_object") {
    // Text Generation Inference's clients put a schema here.
    if (const auto schema = TRY(from->Object("value"))) {
      return serve::ResponseFormat{.kind = Kind::kJsonSchema, .schema = schema->object()};
    }
    return serve::ResponseFormat{.kind = Kind::kJsonObject};
  }
  if (type == "json_schema") return ReadNamedSchema(TRY(from->NeedObject("json_schema")));
  if (type == "json") {
    return serve::ResponseFormat{.kind = Kind::kJsonSchema, .schema = TRY(from->NeedObject("value")).object()};
  }
  if (type == "regex") return serve::ResponseFormat{.kind = Kind::kRegex, .text = TRY(from->NeedString("value"))};
  return from->Unexpected("type", "\"text\", \"json_object\" or \"json_schema\"");
}

Result<void> ReadOptions(const Fields& body, serve::GenerationOptions& options) {
  options.model = TRY(body.String("model")).value_or("");
  json::object& settings = options.sampling;
  TRY(CopyNumber(body, "temperature", 0, kMaxTemperature, settings, "temperature"));
  TRY(CopyNumber(body, "top_p", 0, 1, settings, "top_p"));
  TRY(CopyNumber(body, "min_p", 0, 1, settings, "min_p"));
  TRY(CopyNumber(body, "typical_p", 0, 1, settings, "typical_p"));
  TRY(CopyInt(body, "top_k", -1, kMaxTopK, settings, "top_k"));
  TRY(CopyNumber(body, "presence_penalty", -kMaxPenalty, kMaxPenalty, settings, "presence_penalty"));
  TRY(CopyNumber(body, "frequency_penalty", -kMaxPenalty, kMaxPenalty, settings, "frequency_penalty"));
  TRY(CopyNumber(body, "repetition_penalty", kMinRepetition, kMaxRepetition, settings, "repetition_penalty"));
  TRY(CopyInt(body, "n", 1, kMaxChoices, settings, "num_return_sequences"));
  TRY(CopyInt(body, "seed", INT64_MIN, INT64_MAX, settings, "seed"));
  TRY(CopyInt(body, "max_tokens", 1, kMaxNewTokens, settings, "max_new_tokens"));
  TRY(CopyInt(body, "min_tokens", 0, kMaxNewTokens, settings, "min_new_tokens"));
  TRY(ReadBias(body, settings));
  options.stop = TRY(body.Strings("stop", kMaxStopStrings));
  options.ignore_end = TRY(body.Bool("ignore_eos")).value_or(false);
  options.stream = TRY(body.Bool("stream")).value_or(false);
  if (const auto stream = TRY(body.Object("stream_options"))) {
    options.include_usage = TRY(stream->Bool("include_usage")).value_or(false);
  }
  options.user = TRY(body.String("user")).value_or("");
  if (const auto grammar = TRY(body.String("grammar")); grammar && !grammar->empty()) {
    options.format = {.kind = serve::ResponseFormat::Kind::kGbnf, .text = *grammar};
  }
  return {};
}

}  // namespace bothy::api::openai
