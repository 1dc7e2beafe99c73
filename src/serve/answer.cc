#include "serve/answer.h"

#include <utility>

namespace bothy::serve {
namespace {

// What each kind of event does to its choice.
struct Adding {
  Choice& choice;

  void operator()(const TextDelta& delta) { choice.text += delta.text; }
  void operator()(const ReasoningDelta& delta) { choice.reasoning += delta.text; }
  void operator()(const ToolCallStart& start) { choice.tool_calls.push_back({start.id, start.name, ""}); }
  void operator()(const ToolCallArguments& delta) { choice.tool_calls[delta.index].arguments += delta.text; }
  void operator()(const ToolCallEnd&) {}
  void operator()(const AnswerEnd& end) { choice.end = end; }
};

}  // namespace

void Answer::Add(const ChatEvent& event) {
  if (choices.size() <= event.choice) choices.resize(event.choice + 1);
  Choice& choice = choices[event.choice];
  std::visit(Adding{choice}, event.what);
  choice.tokens.insert(choice.tokens.end(), event.tokens.begin(), event.tokens.end());
}

const GenerationOptions& Exchange::options() const {
  return std::visit([](const auto& r) -> const GenerationOptions& { return r.options; }, request);
}

}  // namespace bothy::serve
