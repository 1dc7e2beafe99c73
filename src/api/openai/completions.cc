#include "api/openai/completions.h"

#include <utility>

#include "api/openai/chat_format.h"
#include "api/openai/errors.h"
#include "api/openai/options.h"
#include "api/protocol/forms.h"
#include "api/protocol/request_parts.h"
#include "text/utf8.h"

namespace bothy::api::openai {

Result<serve::Exchange> ParseCompletion(const json::object& object) {
  const Fields body(object);
  TRY(body.Refuse("suffix", "text before a given end cannot be generated"));
  serve::CompletionRequest request;
  serve::GenerationOptions& options = request.options;
  TRY(ReadOptions(body, options));
  if (body.Has("response_format")) options.format = TRY(ReadResponseFormat(body, "response_format"));
  request.prompts = TRY(ReadPrompts(body, "prompt"));
  request.echo = TRY(body.Bool("echo")).value_or(false);
  if (const auto top = TRY(body.Int("logprobs", 0, kMaxTopLogProbs))) options.log_probs = static_cast<size_t>(*top);
  options.prompt_log_probs = request.echo && options.log_probs;
  const json::value* n = body.Find("n");
  const json::value* best_of = body.Find("best_of");
  if (best_of != nullptr && *best_of != (n != nullptr ? *n : json::value(1))) {
    return Fail(ErrorCode::kUnimplemented, "best_of: only as many as n are generated");
  }
  TRY(CheckSettings(options));
  auto format = std::make_unique<CompletionFormat>(options);
  return serve::Exchange{std::move(request), std::move(format)};
}

// OpenAI's form from before chat: lists side by side, and where each token begins in the text, in characters.
json::value CompletionFormat::LogProbs(const std::vector<serve::TokenDetail>& tokens, size_t offset) const {
  if (!log_probs_ || tokens.empty()) return nullptr;
  json::array texts, log_probs, tops, offsets;
  for (const serve::TokenDetail& token : tokens) {
    const json::string text = JsonText(token.text);
    texts.push_back(json::value(text));
    log_probs.push_back(token.log_prob ? json::value(JsonLogProb(*token.log_prob)) : json::value());
    json::object top;
    for (const serve::LikelyToken& likely : token.top) top[JsonText(likely.text)] = JsonLogProb(likely.log_prob);
    tops.push_back(token.log_prob ? json::value(std::move(top)) : json::value());
    offsets.push_back(offset);
    offset += CountUtf8(text);
  }
  return json::object{{"tokens", std::move(texts)},
                      {"token_logprobs", std::move(log_probs)},
                      {"top_logprobs", std::move(tops)},
                      {"text_offset", std::move(offsets)}};
}

json::object CompletionFormat::Body(const serve::AnswerHead& head, json::array choices) const {
  return {{"id", "cmpl-" + head.id}, {"object", "text_completion"},       {"created", head.created},
          {"model", head.model},     {"system_fingerprint", head.server}, {"choices", std::move(choices)}};
}

std::string CompletionFormat::Whole(const serve::AnswerHead& head, const serve::Answer& answer,
                                    const serve::Summary& summary) {
  json::array choices;
  const size_t prompts = answer.prompt_tokens.size();
  for (size_t i = 0; i < answer.choices.size(); i++) {
    const serve::Choice& choice = answer.choices[i];
    std::vector<serve::TokenDetail> tokens;
    if (prompts > 0) tokens = answer.prompt_tokens[i * prompts / answer.choices.size()];
    tokens.insert(tokens.end(), choice.tokens.begin(), choice.tokens.end());
    choices.push_back({{"index", i},
                       {"text", choice.text},
                       {"logprobs", LogProbs(tokens, 0)},
                       {"finish_reason", FinishReason(choice.end.reason)}});
  }
  json::object body = Body(head, std::move(choices));
  body["usage"] = UsageBody(summary.usage);
  return json::Serialize(body);
}

std::string CompletionFormat::Start(const serve::AnswerHead& head) {
  head_ = head;
  return "";
}

std::string CompletionFormat::Event(const serve::ChatEvent& event) {
  const auto* text = std::get_if<serve::TextDelta>(&event.what);
  const auto* end = std::get_if<serve::AnswerEnd>(&event.what);
  if (text == nullptr && end == nullptr) return "";
  if (characters_.size() <= event.choice) characters_.resize(event.choice + 1);
  size_t& characters = characters_[event.choice];
  json::object choice{{"index", event.choice},
                      {"text", text != nullptr ? text->text : ""},
                      {"logprobs", LogProbs(event.tokens, characters)},
                      {"finish_reason", nullptr}};
  if (end != nullptr) choice["finish_reason"] = FinishReason(end->reason);
  if (text != nullptr) characters += CountUtf8(text->text);
  json::object body = Body(head_, {std::move(choice)});
  if (include_usage_) body["usage"] = nullptr;
  return SentEvent(body);
}

std::string CompletionFormat::End(const serve::Summary& summary) {
  std::string out;
  if (include_usage_) {
    json::object body = Body(head_, {});
    body["usage"] = UsageBody(summary.usage);
    out = SentEvent(body);
  }
  return out + std::string(kStreamEnd);
}

std::string CompletionFormat::Failed(const Error& error) {
  return SentEvent(ErrorBody(error)) + std::string(kStreamEnd);
}

}  // namespace bothy::api::openai
