#include "api/ollama/request_options.h"

#include <charconv>
#include <cmath>

#include "api/protocol/request_parts.h"

namespace bothy::api::ollama {
namespace {

constexpr double kMaxTemperature = 100, kMaxPenalty = 100, kMaxRepetition = 100, kMinRepetition = 0.01;
constexpr double kMaxKeepSeconds = 1e9;
constexpr int64_t kMaxTopK = 1 << 20, kMaxContext = INT32_MAX;

// A duration as Go writes it: "1h30m", "-1s", "300ms". Nothing where it is none.
std::optional<double> ParseDuration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  double seconds = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    const std::string_view unit = text.substr(0, text.find_first_of("0123456789."));
    text.remove_prefix(unit.size());
    if (unit == "h")
      seconds += number * 3600;
    else if (unit == "m")
      seconds += number * 60;
    else if (unit == "s" || (unit.empty() && text.empty()))
      seconds += number;
    else if (unit == "ms")
      seconds += number / 1e3;
    else if (unit == "us" || unit == "µs")
      seconds += number / 1e6;
    else if (unit == "ns")
      seconds += number / 1e9;
    else
      return std::nullopt;
  }
  if (!std::isfinite(seconds) || seconds > kMaxKeepSeconds) return std::nullopt;
  return negative ? -seconds : seconds;
}

Result<void> ReadFormat(const Fields& body, serve::ResponseFormat& format) {
  const json::value* value = body.Find("format");
  if (value == nullptr || *value == "") return {};
  if (*value == "json") {
    format.kind = serve::ResponseFormat::Kind::kJsonObject;
    return {};
  }
  if (!value->is_object()) return body.Unexpected("format", "\"json\" or a JSON schema");
  format = {.kind = serve::ResponseFormat::Kind::kJsonSchema, .schema = *value};
  return {};
}

Result<void> ReadSettings(const Fields& from, serve::GenerationOptions& options) {
  json::object& settings = options.sampling;
  TRY(CopyNumber(from, "temperature", 0, kMaxTemperature, settings, "temperature"));
  TRY(CopyNumber(from, "top_p", 0, 1, settings, "top_p"));
  TRY(CopyNumber(from, "min_p", 0, 1, settings, "min_p"));
  TRY(CopyInt(from, "top_k", -1, kMaxTopK, settings, "top_k"));
  // 1 is off, and so is 0 here.
  if (const auto typical = TRY(from.Number("typical_p", 0, 1)); typical && *typical > 0)
    settings["typical_p"] = *typical;
  TRY(CopyNumber(from, "repeat_penalty", kMinRepetition, kMaxRepetition, settings, "repetition_penalty"));
  TRY(CopyNumber(from, "presence_penalty", -kMaxPenalty, kMaxPenalty, settings, "presence_penalty"));
  TRY(CopyNumber(from, "frequency_penalty", -kMaxPenalty, kMaxPenalty, settings, "frequency_penalty"));
  TRY(CopyInt(from, "seed", INT64_MIN, INT64_MAX, settings, "seed"));
  options.stop = TRY(from.Strings("stop", kMaxStopStrings));
  options.context_length = TRY(from.Int("num_ctx", 1, kMaxContext));
  // -1 and -2: until the model ends or its context is full.
  if (const auto most = TRY(from.Int("num_predict", -2, kMaxNewTokens))) {
    if (*most == 0) return from.Unexpected("num_predict", "an integer above 0, -1 or -2");
    if (*most > 0) settings["max_new_tokens"] = *most;
  }
  if (TRY(from.Int("mirostat", 0, 2)).value_or(0) != 0) {
    return Fail(ErrorCode::kUnimplemented, "{}: is not supported", from.Path("mirostat"));
  }
  return {};
}

}  // namespace

Result<std::optional<double>> ReadKeepAlive(const Fields& body) {
  const json::value* value = body.Find("keep_alive");
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) return body.Number("keep_alive", -kMaxKeepSeconds, kMaxKeepSeconds);
  if (value->is_string()) {
    if (value->get_string().empty()) return std::nullopt;
    if (const auto seconds = ParseDuration(value->get_string())) return seconds;
  }
  return body.Unexpected("keep_alive", "seconds, or a duration such as \"5m\"");
}

Result<void> ReadOptions(const Fields& body, serve::GenerationOptions& options) {
  options.model = TRY(body.NeedString("model"));
  options.stream = TRY(body.Bool("stream")).value_or(true);
  options.keep_loaded_seconds = TRY(ReadKeepAlive(body));
  TRY(ReadFormat(body, options.format));
  if (const auto from = TRY(body.Object("options"))) TRY(ReadSettings(*from, options));
  const auto top = TRY(body.Int("top_logprobs", 0, kMaxTopLogProbs));
  if (TRY(body.Bool("logprobs")).value_or(false)) options.log_probs = static_cast<size_t>(top.value_or(0));
  return CheckSettings(options);
}

Result<void> ReadThink(const Fields& body, serve::ChatRequest& request) {
  const json::value* value = body.Find("think");
  if (value == nullptr) return {};
  if (value->is_bool()) {
    request.think = value->get_bool();
    return {};
  }
  if (*value != "low" && *value != "medium" && *value != "high") {
    return body.Unexpected("think", "true, false, \"low\", \"medium\" or \"high\"");
  }
  request.think = true;
  request.effort = std::string(value->get_string());
  return {};
}

}  // namespace bothy::api::ollama
