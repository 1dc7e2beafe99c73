#include "api/openai/chat_format.h"

#include "api/openai/errors.h"
#include "api/protocol/forms.h"

namespace bothy::api::openai {
namespace {

using serve::StopReason;

json::value LogProbs(bool wanted, const std::vector<serve::TokenDetail>& tokens) {
  if (!wanted) return nullptr;
  json::array content;
  for (const serve::TokenDetail& token : tokens) content.push_back(TokenLogProbs(token));
  return json::object{{"content", std::move(content)}, {"refusal", nullptr}};
}

json::object Message(const serve::Choice& choice) {
  json::object message{{"role", "assistant"}, {"content", nullptr}, {"refusal", nullptr}};
  if (!choice.text.empty() || choice.tool_calls.empty()) message["content"] = choice.text;
  if (!choice.reasoning.empty()) message["reasoning_content"] = choice.reasoning;
  json::array calls;
  for (const serve::ToolCall& call : choice.tool_calls) {
    calls.push_back(
        {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  if (!calls.empty()) message["tool_calls"] = std::move(calls);
  return message;
}

json::object CallDelta(json::object call) { return {{"tool_calls", json::array{std::move(call)}}}; }

// What of an event goes into a chunk's delta.
struct Delta {
  json::object operator()(const serve::TextDelta& delta) const { return {{"content", delta.text}}; }
  json::object operator()(const serve::ReasoningDelta& delta) const { return {{"reasoning_content", delta.text}}; }
  json::object operator()(const serve::ToolCallStart& start) const {
    return CallDelta({{"index", start.index},
                      {"id", start.id},
                      {"type", "function"},
                      {"function", {{"name", start.name}, {"arguments", ""}}}});
  }
  json::object operator()(const serve::ToolCallArguments& delta) const {
    return CallDelta({{"index", delta.index}, {"function", {{"arguments", delta.text}}}});
  }
  json::object operator()(const serve::ToolCallEnd&) const { return {}; }
  json::object operator()(const serve::AnswerEnd&) const { return {}; }
};

}  // namespace

std::string_view FinishReason(StopReason reason) {
  switch (reason) {
    case StopReason::kToolCalls: return "tool_calls";
    case StopReason::kLength:
    case StopReason::kContext: return "length";
    default: return "stop";
  }
}

json::object UsageBody(const serve::Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
          {"completion_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}}};
}

std::string ChatFormat::Whole(const serve::AnswerHead& head, const serve::Answer& answer,
                              const serve::Summary& summary) {
  json::array choices;
  for (const serve::Choice& choice : answer.choices) {
    choices.push_back({{"index", choices.size()},
                       {"message", Message(choice)},
                       {"logprobs", LogProbs(log_probs_, choice.tokens)},
                       {"finish_reason", FinishReason(choice.end.reason)}});
  }
  return json::Serialize(json::object{{"id", "chatcmpl-" + head.id},
                                      {"object", "chat.completion"},
                                      {"created", head.created},
                                      {"model", head.model},
                                      {"system_fingerprint", head.server},
                                      {"choices", std::move(choices)},
                                      {"usage", UsageBody(summary.usage)}});
}

std::string ChatFormat::Chunk(json::array choices, json::value usage) const {
  json::object chunk{{"id", "chatcmpl-" + head_.id},       {"object", "chat.completion.chunk"},
                     {"created", head_.created},           {"model", head_.model},
                     {"system_fingerprint", head_.server}, {"choices", std::move(choices)}};
  if (include_usage_) chunk["usage"] = std::move(usage);
  return SentEvent(chunk);
}

std::string ChatFormat::ChoiceChunk(size_t choice, json::object delta, std::string_view finish,
                                    const std::vector<serve::TokenDetail>& tokens) const {
  json::object one{{"index", choice},
                   {"delta", std::move(delta)},
                   {"logprobs", LogProbs(log_probs_ && !tokens.empty(), tokens)},
                   {"finish_reason", nullptr}};
  if (!finish.empty()) one["finish_reason"] = finish;
  return Chunk({std::move(one)});
}

std::string ChatFormat::Start(const serve::AnswerHead& head) {
  head_ = head;
  return "";
}

std::string ChatFormat::Event(const serve::ChatEvent& event) {
  std::string out;
  if (begun_.size() <= event.choice) begun_.resize(event.choice + 1);
  if (!begun_[event.choice]) {
    begun_[event.choice] = true;
    out = ChoiceChunk(event.choice, {{"role", "assistant"}, {"content", ""}}, "", {});
  }
  const auto* end = std::get_if<serve::AnswerEnd>(&event.what);
  json::object delta = std::visit(Delta{}, event.what);
  if (end == nullptr && delta.empty() && event.tokens.empty()) return out;
  return out +
         ChoiceChunk(event.choice, std::move(delta), end != nullptr ? FinishReason(end->reason) : "", event.tokens);
}

std::string ChatFormat::End(const serve::Summary& summary) {
  return (include_usage_ ? Chunk({}, UsageBody(summary.usage)) : "") + std::string(kStreamEnd);
}

std::string ChatFormat::Failed(const Error& error) { return SentEvent(ErrorBody(error)) + std::string(kStreamEnd); }

}  // namespace bothy::api::openai
