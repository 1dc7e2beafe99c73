#include "api/tgi/generate.h"

#include "api/protocol/request_parts.h"
#include "api/tgi/format.h"

namespace bothy::api::tgi {
namespace {

constexpr int64_t kDefaultNewTokens = 100, kMaxTopTokens = 20, kMaxTopK = 1 << 20, kMaxBestOf = 1;
constexpr double kTiny = 1e-6, kMaxTemperature = 100, kMaxRepetition = 10, kMaxFrequency = 2;

Result<void> ReadGrammar(const Fields& from, serve::ResponseFormat& format) {
  using Kind = serve::ResponseFormat::Kind;
  const auto grammar = TRY(from.Object("grammar"));
  if (!grammar) return {};
  const std::string type = TRY(grammar->NeedString("type"));
  if (type == "regex") {
    format = {.kind = Kind::kRegex, .text = TRY(grammar->NeedString("value"))};
  } else if (type == "json") {
    // A schema, as an object or as its text.
    const json::value* value = grammar->Find("value");
    if (value == nullptr) return grammar->Missing("value");
    auto schema = value->is_string() ? json::Parse(value->get_string(), "grammar", kMaxRequestValues) : *value;
    if (!schema || !schema->is_object()) return grammar->Unexpected("value", "a JSON schema");
    format = {.kind = Kind::kJsonSchema, .schema = *std::move(schema)};
  } else if (type == "json_schema") {
    format = TRY(ReadNamedSchema(TRY(grammar->NeedObject("value"))));
  } else {
    return grammar->Unexpected("type", "\"json\", \"json_schema\" or \"regex\"");
  }
  return {};
}

Result<void> ReadSettings(const Fields& from, serve::CompletionRequest& request) {
  serve::GenerationOptions& options = request.options;
  json::object& settings = options.sampling;
  TRY(CopyNumber(from, "temperature", kTiny, kMaxTemperature, settings, "temperature"));
  TRY(CopyNumber(from, "repetition_penalty", kTiny, kMaxRepetition, settings, "repetition_penalty"));
  TRY(CopyNumber(from, "frequency_penalty", -kMaxFrequency, kMaxFrequency, settings, "frequency_penalty"));
  TRY(CopyInt(from, "top_k", 1, kMaxTopK, settings, "top_k"));
  TRY(CopyNumber(from, "top_p", kTiny, 1, settings, "top_p"));
  TRY(CopyNumber(from, "typical_p", kTiny, 1, settings, "typical_p"));
  TRY(CopyInt(from, "seed", 0, INT64_MAX, settings, "seed"));
  TRY(CopyInt(from, "max_new_tokens", 1, kMaxNewTokens, settings, "max_new_tokens"));
  settings.emplace("max_new_tokens", kDefaultNewTokens);
  if (TRY(from.Bool("do_sample")).value_or(false)) settings["do_sample"] = true;
  options.stop = TRY(from.Strings("stop", kMaxStopStrings));
  if (options.stop.empty()) options.stop = TRY(from.Strings("stop_sequences", kMaxStopStrings));
  request.truncate = TRY(from.Int("truncate", 1, kMaxNewTokens));
  options.prompt_log_probs = TRY(from.Bool("decoder_input_details")).value_or(false);
  // A token's own probability is always told.
  options.log_probs = static_cast<size_t>(TRY(from.Int("top_n_tokens", 0, kMaxTopTokens)).value_or(0));
  if (TRY(from.Int("best_of", 1, kMaxChoices)).value_or(1) > kMaxBestOf) {
    return Fail(ErrorCode::kUnimplemented, "{}: one text is generated, not several to choose from",
                from.Path("best_of"));
  }
  TRY(from.Refuse("watermark", "is not supported"));
  return ReadGrammar(from, options.format);
}

}  // namespace

Result<serve::Exchange> ParseGenerate(const json::object& object, Route route) {
  const Fields body(object);
  serve::CompletionRequest request;
  const json::object none;
  const Fields parameters = TRY(body.Object("parameters")).value_or(Fields(none, "parameters"));
  TRY(ReadSettings(parameters, request));
  request.prompts.emplace_back(TRY(body.NeedString("inputs")));
  request.options.model = TRY(parameters.String("adapter_id")).value_or(TRY(body.String("model")).value_or(""));
  request.options.stream =
      route == Route::kStream || (route == Route::kTask && TRY(body.Bool("stream")).value_or(false));
  request.echo = TRY(parameters.Bool("return_full_text")).value_or(route == Route::kTask && !request.options.stream);
  if (request.options.stream && request.options.prompt_log_probs) {
    return Fail(ErrorCode::kInvalidArgument, "{}: is not there for streams", parameters.Path("decoder_input_details"));
  }
  TRY(CheckSettings(request.options));
  const bool details = TRY(parameters.Bool("details")).value_or(false) || request.options.prompt_log_probs;
  auto format = std::make_unique<Format>(
      FormatOptions{.details = details, .top_tokens = *request.options.log_probs > 0, .list = route == Route::kTask});
  return serve::Exchange{.request = std::move(request), .format = std::move(format)};
}

}  // namespace bothy::api::tgi
