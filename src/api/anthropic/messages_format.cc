#include "api/anthropic/messages_format.h"

#include "api/anthropic/errors.h"
#include "api/protocol/forms.h"

namespace bothy::api::anthropic {
namespace {

std::string_view StopReasonName(serve::StopReason reason) {
  switch (reason) {
    case serve::StopReason::kStopString: return "stop_sequence";
    case serve::StopReason::kToolCalls: return "tool_use";
    case serve::StopReason::kLength: return "max_tokens";
    case serve::StopReason::kContext: return "model_context_window_exceeded";
    default: return "end_turn";
  }
}

// Here tokens that were read from a cache are not among the prompt's.
json::object Usage(const serve::Usage& usage) {
  return {{"input_tokens", usage.prompt_tokens - usage.cached_tokens},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage.cached_tokens},
          {"output_tokens", usage.completion_tokens}};
}

json::value StopSequence(const serve::AnswerEnd& end) {
  if (end.reason != serve::StopReason::kStopString) return nullptr;
  return json::value(json::string(end.stop_string));
}

json::object Message(const serve::AnswerHead& head, json::array content, json::object usage) {
  return {{"id", "msg_" + head.id},        {"type", "message"},
          {"role", "assistant"},           {"model", head.model},
          {"content", std::move(content)}, {"stop_reason", nullptr},
          {"stop_sequence", nullptr},      {"usage", std::move(usage)}};
}

json::object TextBlock(std::string_view text) { return {{"type", "text"}, {"text", text}}; }
json::object ThinkingBlock(std::string_view text) {
  return {{"type", "thinking"}, {"thinking", text}, {"signature", ""}};
}
json::object ToolBlock(std::string_view id, std::string_view name, json::value input) {
  return {{"type", "tool_use"}, {"id", id}, {"name", name}, {"input", std::move(input)}};
}

}  // namespace

std::string MessagesFormat::Whole(const serve::AnswerHead& head, const serve::Answer& answer,
                                  const serve::Summary& summary) {
  json::array content;
  serve::AnswerEnd end;
  for (const serve::Choice& choice : answer.choices) {
    if (!choice.reasoning.empty()) content.push_back(ThinkingBlock(choice.reasoning));
    if (!choice.text.empty()) content.push_back(TextBlock(choice.text));
    for (const serve::ToolCall& call : choice.tool_calls) {
      // A call that was cut off has no object; its text is all there is.
      auto input = json::Parse(call.arguments, "arguments");
      content.push_back(ToolBlock(call.id, call.name, input ? *std::move(input) : json::value(json::object())));
    }
    end = choice.end;
  }
  json::object message = Message(head, std::move(content), Usage(summary.usage));
  message["stop_reason"] = StopReasonName(end.reason);
  message["stop_sequence"] = StopSequence(end);
  return json::Serialize(message);
}

std::string MessagesFormat::Send(std::string_view type, json::object fields) const {
  fields["type"] = type;
  return SentEvent(fields, type);
}

std::string MessagesFormat::Start(const serve::AnswerHead& head) {
  const serve::Usage usage{.prompt_tokens = head.prompt_tokens};
  return Send("message_start", {{"message", Message(head, {}, Usage(usage))}});
}

std::string MessagesFormat::Open(Block block, json::object content) {
  if (open_ == block && block != Block::kTool) return "";
  std::string out = Close();
  open_ = block;
  return out + Send("content_block_start", {{"index", index_}, {"content_block", std::move(content)}});
}

std::string MessagesFormat::Close() {
  if (open_ == Block::kNone) return "";
  open_ = Block::kNone;
  return Send("content_block_stop", {{"index", index_++}});
}

std::string MessagesFormat::Delta(json::object delta) const {
  return Send("content_block_delta", {{"index", index_}, {"delta", std::move(delta)}});
}

std::string MessagesFormat::Event(const serve::ChatEvent& event) {
  if (const auto* text = std::get_if<serve::TextDelta>(&event.what)) {
    if (text->text.empty()) return "";
    return Open(Block::kText, TextBlock("")) + Delta({{"type", "text_delta"}, {"text", text->text}});
  }
  if (const auto* text = std::get_if<serve::ReasoningDelta>(&event.what)) {
    return Open(Block::kThinking, ThinkingBlock("")) + Delta({{"type", "thinking_delta"}, {"thinking", text->text}});
  }
  if (const auto* start = std::get_if<serve::ToolCallStart>(&event.what)) {
    return Open(Block::kTool, ToolBlock(start->id, start->name, json::object()));
  }
  if (const auto* delta = std::get_if<serve::ToolCallArguments>(&event.what)) {
    return Delta({{"type", "input_json_delta"}, {"partial_json", delta->text}});
  }
  if (const auto* end = std::get_if<serve::AnswerEnd>(&event.what)) end_ = *end;
  return Close();
}

std::string MessagesFormat::End(const serve::Summary& summary) {
  return Send("message_delta",
              {{"delta", {{"stop_reason", StopReasonName(end_.reason)}, {"stop_sequence", StopSequence(end_)}}},
               {"usage", Usage(summary.usage)}}) +
         Send("message_stop", {});
}

std::string MessagesFormat::Failed(const Error& error) { return SentEvent(ErrorBody(error), "error"); }

}  // namespace bothy::api::anthropic
