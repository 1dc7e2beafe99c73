#include "serve/answer_reader.h"

#include <utility>

namespace bothy::serve {

void AnswerReader::Take(ReasoningReader::Parts parts, std::vector<ChatEvent::What>& out) {
  if (!parts.reasoning.empty()) out.push_back(ReasoningDelta{std::move(parts.reasoning)});
  if (parts.text.empty()) return;
  if (calls_) {
    calls_->Feed(parts.text, out);
  } else {
    out.push_back(TextDelta{std::move(parts.text)});
  }
}

std::vector<ChatEvent> AnswerReader::Events(std::vector<ChatEvent::What> what, std::vector<TokenDetail> tokens) const {
  if (what.empty() && !tokens.empty()) what.push_back(TextDelta{});
  std::vector<ChatEvent> events;
  for (ChatEvent::What& one : what) events.push_back({choice_, std::move(one), std::exchange(tokens, {})});
  return events;
}

std::vector<ChatEvent> AnswerReader::Feed(std::string_view piece, std::vector<TokenDetail> tokens) {
  std::vector<ChatEvent::What> out;
  Take(reasoning_.Feed(piece), out);
  return Events(std::move(out), std::move(tokens));
}

std::vector<ChatEvent> AnswerReader::Finish(AnswerEnd end) {
  std::vector<ChatEvent::What> out;
  Take(reasoning_.Finish(), out);
  if (calls_) {
    calls_->Finish(out);
    if (calls_->calls() > 0 && end.reason == StopReason::kEnd) end.reason = StopReason::kToolCalls;
  }
  out.push_back(std::move(end));
  return Events(std::move(out), {});
}

}  // namespace bothy::serve
