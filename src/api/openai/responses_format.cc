#include "api/openai/responses_format.h"

#include <fmt/format.h>

#include <utility>

#include "api/protocol/forms.h"

namespace bothy::api::openai {
namespace {

json::object Usage(const serve::Usage& usage) {
  return {{"input_tokens", usage.prompt_tokens},
          {"input_tokens_details", {{"cached_tokens", usage.cached_tokens}, {"cache_write_tokens", 0}}},
          {"output_tokens", usage.completion_tokens},
          {"output_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

bool IsWhole(const serve::AnswerEnd& end) {
  return end.reason != serve::StopReason::kLength && end.reason != serve::StopReason::kContext;
}

}  // namespace

std::string ResponsesFormat::ItemId(Kind kind, size_t index) const {
  const std::string_view prefix = kind == Kind::kText ? "msg" : kind == Kind::kCall ? "fc" : "rs";
  return fmt::format("{}_{}{}", prefix, head_.id, index);
}

// The part of an item's content that its text is in.
json::object ResponsesFormat::PartBody(const Item& item) {
  if (item.kind == Kind::kReasoning) return {{"type", "reasoning_text"}, {"text", item.text}};
  return {{"type", "output_text"}, {"text", item.text}, {"annotations", json::array()}, {"logprobs", item.log_probs}};
}

json::object ResponsesFormat::ItemBody(const Item& item, std::string_view status) {
  switch (item.kind) {
    case Kind::kCall:
      return {{"type", "function_call"}, {"id", item.id},          {"call_id", item.call_id},
              {"name", item.name},       {"arguments", item.text}, {"status", status}};
    case Kind::kReasoning: {
      json::array content;
      if (!item.text.empty()) content.push_back(PartBody(item));
      return {{"type", "reasoning"}, {"id", item.id}, {"summary", json::array()}, {"content", std::move(content)}};
    }
    case Kind::kText: break;
  }
  json::array content;
  if (status != "in_progress") content.push_back(PartBody(item));
  return {
      {"type", "message"}, {"id", item.id}, {"role", "assistant"}, {"status", status}, {"content", std::move(content)}};
}

json::object ResponsesFormat::Response(std::string_view status, json::value usage) const {
  json::object response{{"id", "resp_" + head_.id}, {"object", "response"},     {"created_at", head_.created},
                        {"status", status},         {"error", nullptr},         {"incomplete_details", nullptr},
                        {"model", head_.model},     {"output", output_},        {"previous_response_id", nullptr},
                        {"store", false},           {"truncation", "disabled"}, {"usage", std::move(usage)}};
  for (const auto& [key, value] : repeated_) response[key] = value;
  if (status == "incomplete") response["incomplete_details"] = {{"reason", "max_output_tokens"}};
  return response;
}

std::string ResponsesFormat::Whole(const serve::AnswerHead& head, const serve::Answer& answer,
                                   const serve::Summary& summary) {
  // The same steps as a stream, without what they would send.
  Start(head);
  for (const serve::Choice& choice : answer.choices) {
    if (!choice.reasoning.empty()) Event({0, serve::ReasoningDelta{choice.reasoning}, {}});
    if (!choice.text.empty() || choice.tool_calls.empty()) {
      Event({0, serve::TextDelta{choice.text}, choice.tokens});
    }
    for (const serve::ToolCall& call : choice.tool_calls) {
      Event({0, serve::ToolCallStart{0, call.id, call.name}, {}});
      Event({0, serve::ToolCallArguments{0, call.arguments}, {}});
      Event({0, serve::ToolCallEnd{}, {}});
    }
    Event({0, choice.end, {}});
  }
  return json::Serialize(Response(IsWhole(end_) ? "completed" : "incomplete", Usage(summary.usage)));
}

std::string ResponsesFormat::Send(std::string_view type, json::object fields) {
  fields["type"] = type;
  fields["sequence_number"] = sequence_++;
  return SentEvent(fields, type);
}

std::string ResponsesFormat::Start(const serve::AnswerHead& head) {
  head_ = head;
  const json::object response = Response("in_progress", nullptr);
  return Send("response.created", {{"response", response}}) + Send("response.in_progress", {{"response", response}});
}

std::string ResponsesFormat::Open(Kind kind, std::string_view call_id, std::string_view name) {
  item_ = Item{
      .kind = kind, .id = ItemId(kind, output_.size()), .call_id = std::string(call_id), .name = std::string(name)};
  std::string out =
      Send("response.output_item.added", {{"output_index", output_.size()}, {"item", ItemBody(*item_, "in_progress")}});
  if (kind == Kind::kCall) return out;
  return out + Send("response.content_part.added", {{"item_id", item_->id},
                                                    {"output_index", output_.size()},
                                                    {"content_index", 0},
                                                    {"part", PartBody(*item_)}});
}

std::string ResponsesFormat::Close() {
  if (!item_) return "";
  const Item item = *std::exchange(item_, std::nullopt);
  json::object place{{"item_id", item.id}, {"output_index", output_.size()}};
  json::object item_done = ItemBody(item, IsWhole(end_) ? "completed" : "incomplete");
  std::string out;
  if (item.kind == Kind::kCall) {
    place["arguments"] = item.text;
    place["name"] = item.name;
    out = Send("response.function_call_arguments.done", std::move(place));
  } else {
    place["content_index"] = 0;
    json::object part = place;
    part["part"] = PartBody(item);
    place["text"] = item.text;
    if (item.kind == Kind::kText) place["logprobs"] = item.log_probs;
    out =
        Send(item.kind == Kind::kText ? "response.output_text.done" : "response.reasoning_text.done", std::move(place));
    out += Send("response.content_part.done", std::move(part));
  }
  out += Send("response.output_item.done", {{"output_index", output_.size()}, {"item", item_done}});
  output_.push_back(std::move(item_done));
  return out;
}

std::string ResponsesFormat::Add(Kind kind, const std::string& text, const serve::ChatEvent& event) {
  std::string out;
  if (!item_ || item_->kind != kind) out = Close() + Open(kind);
  item_->text += text;
  json::object fields{{"item_id", item_->id}, {"output_index", output_.size()}, {"content_index", 0}, {"delta", text}};
  if (kind == Kind::kReasoning) return out + Send("response.reasoning_text.delta", std::move(fields));
  json::array log_probs;
  for (const serve::TokenDetail& token : event.tokens) log_probs.push_back(TokenLogProbs(token));
  item_->log_probs.insert(item_->log_probs.end(), log_probs.begin(), log_probs.end());
  fields["logprobs"] = std::move(log_probs);
  return out + Send("response.output_text.delta", std::move(fields));
}

std::string ResponsesFormat::Event(const serve::ChatEvent& event) {
  if (const auto* text = std::get_if<serve::TextDelta>(&event.what)) return Add(Kind::kText, text->text, event);
  if (const auto* text = std::get_if<serve::ReasoningDelta>(&event.what))
    return Add(Kind::kReasoning, text->text, event);
  if (const auto* start = std::get_if<serve::ToolCallStart>(&event.what)) {
    return Close() + Open(Kind::kCall, start->id, start->name);
  }
  if (const auto* delta = std::get_if<serve::ToolCallArguments>(&event.what)) {
    if (!item_) return "";
    item_->text += delta->text;
    return Send("response.function_call_arguments.delta",
                {{"item_id", item_->id}, {"output_index", output_.size()}, {"delta", delta->text}});
  }
  if (const auto* end = std::get_if<serve::AnswerEnd>(&event.what)) end_ = *end;
  return Close();
}

std::string ResponsesFormat::End(const serve::Summary& summary) {
  const std::string_view status = IsWhole(end_) ? "completed" : "incomplete";
  return Send(fmt::format("response.{}", status), {{"response", Response(status, Usage(summary.usage))}});
}

std::string ResponsesFormat::Failed(const Error& error) {
  json::object response = Response("failed", nullptr);
  response["error"] = {{"code", "server_error"}, {"message", JsonText(AnswerMessage(error))}};
  return Send("response.failed", {{"response", std::move(response)}});
}

}  // namespace bothy::api::openai
