#include "api/ollama/format.h"

#include "api/answer.h"
#include "api/protocol/forms.h"

namespace bothy::api::ollama {
namespace {

json::object CallBody(const serve::ToolCall& call, size_t index) {
  auto arguments = json::Parse(call.arguments, "arguments");
  // A call that was cut off has no object; its text is all there is.
  return {{"id", call.id},
          {"function",
           {{"index", index},
            {"name", call.name},
            {"arguments", arguments ? *std::move(arguments) : json::value(json::object())}}}};
}

std::string_view DoneReason(serve::StopReason reason) {
  return reason == serve::StopReason::kLength || reason == serve::StopReason::kContext ? "length" : "stop";
}

json::array LogProbs(const std::vector<serve::TokenDetail>& tokens) {
  json::array out;
  for (const serve::TokenDetail& token : tokens) out.push_back(TokenLogProbs(token));
  return out;
}

std::string Line(const json::object& object) { return json::Serialize(object) + "\n"; }

}  // namespace

json::object Format::Piece(std::string_view text, std::string_view thinking, json::array calls) const {
  json::object piece{{"model", head_.model}, {"created_at", FormatTime(head_.created)}};
  json::object said;
  if (kind_ == Kind::kChat) said["role"] = "assistant";
  said[kind_ == Kind::kChat ? "content" : "response"] = text;
  if (!thinking.empty()) said["thinking"] = thinking;
  if (!calls.empty()) said["tool_calls"] = std::move(calls);
  if (kind_ == Kind::kChat) {
    piece["message"] = std::move(said);
  } else {
    for (auto& [key, value] : said) piece[key] = std::move(value);
  }
  piece["done"] = false;
  return piece;
}

void Format::Finish(json::object& piece, const serve::Summary& summary) const {
  piece["done"] = true;
  piece["done_reason"] = reason_;
  piece["total_duration"] = summary.timing.total;
  piece["load_duration"] = summary.timing.load;
  piece["prompt_eval_count"] = summary.usage.prompt_tokens;
  piece["prompt_eval_duration"] = summary.timing.prompt;
  piece["eval_count"] = summary.usage.completion_tokens;
  piece["eval_duration"] = summary.timing.generation;
}

std::string Format::Whole(const serve::AnswerHead& head, const serve::Answer& answer, const serve::Summary& summary) {
  Start(head);
  if (answer.choices.empty()) {
    json::object piece = Piece("", "", {});
    piece["done"] = true;
    piece["done_reason"] = lets_go_ ? "unload" : "load";
    return json::Serialize(piece);
  }
  const serve::Choice& choice = answer.choices[0];
  json::array calls;
  for (const serve::ToolCall& call : choice.tool_calls) calls.push_back(CallBody(call, calls.size()));
  json::object piece = Piece(choice.text, choice.reasoning, std::move(calls));
  if (log_probs_) piece["logprobs"] = LogProbs(choice.tokens);
  reason_ = DoneReason(choice.end.reason);
  Finish(piece, summary);
  return json::Serialize(piece);
}

std::string Format::Start(const serve::AnswerHead& head) {
  head_ = head;
  return "";
}

std::string Format::Event(const serve::ChatEvent& event) {
  json::object piece;
  if (const auto* text = std::get_if<serve::TextDelta>(&event.what)) {
    piece = Piece(text->text, "", {});
  } else if (const auto* thought = std::get_if<serve::ReasoningDelta>(&event.what)) {
    piece = Piece("", thought->text, {});
  } else if (const auto* start = std::get_if<serve::ToolCallStart>(&event.what)) {
    call_ = {start->id, start->name, ""};
  } else if (const auto* delta = std::get_if<serve::ToolCallArguments>(&event.what)) {
    call_.arguments += delta->text;
  } else if (const auto* call_end = std::get_if<serve::ToolCallEnd>(&event.what)) {
    piece = Piece("", "", {CallBody(call_, call_end->index)});
  } else if (const auto* end = std::get_if<serve::AnswerEnd>(&event.what)) {
    reason_ = DoneReason(end->reason);
  }
  const bool tokens = log_probs_ && !event.tokens.empty();
  if (piece.empty() && !tokens) return "";
  if (piece.empty()) piece = Piece("", "", {});
  if (tokens) piece["logprobs"] = LogProbs(event.tokens);
  return Line(piece);
}

std::string Format::End(const serve::Summary& summary) {
  json::object piece = Piece("", "", {});
  Finish(piece, summary);
  return Line(piece);
}

std::string Format::Failed(const Error& error) { return Line(ErrorBody(error)); }

json::object ErrorBody(const Error& error) { return {{"error", JsonText(AnswerMessage(error))}}; }

net::Response Refuse(const Error& error) {
  // Clients show the message of a 400; they take 501 for a server that is not theirs.
  const bool unknown = error.code == ErrorCode::kUnimplemented;
  return net::Response::Json(unknown ? net::Status::kBadRequest : AnswerStatus(error),
                             json::Serialize(ErrorBody(error)));
}

}  // namespace bothy::api::ollama
