// From the text that a model generates to events: its thoughts, its answer, its calls of tools.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/chat.h"
#include "serve/reasoning.h"
#include "serve/tool_calls.h"

namespace bothy::serve {

class AnswerReader {
 public:
  // Of one choice. Without `calls` all that is no thought is text.
  AnswerReader(size_t choice, ReasoningReader reasoning, std::optional<ToolCallReader> calls)
      : choice_(choice), reasoning_(std::move(reasoning)), calls_(std::move(calls)) {}

  // The next piece of the text, whole characters, and the tokens behind it where the request asks for them; they come
  // with the first event, which may be an empty text.
  std::vector<ChatEvent> Feed(std::string_view piece, std::vector<TokenDetail> tokens = {});

  // The text ends here; AnswerEnd is the last event. An end token behind calls is kToolCalls.
  std::vector<ChatEvent> Finish(AnswerEnd end);

  // A constraint on the answer does not hold for thoughts.
  bool thinking() const { return reasoning_.thinking(); }
  // Nothing more is wanted: the one call that was asked for is there.
  bool done() const { return calls_ && calls_->done(); }

 private:
  void Take(ReasoningReader::Parts parts, std::vector<ChatEvent::What>& out);
  std::vector<ChatEvent> Events(std::vector<ChatEvent::What> what, std::vector<TokenDetail> tokens) const;

  size_t choice_;
  ReasoningReader reasoning_;
  std::optional<ToolCallReader> calls_;
};

}  // namespace bothy::serve
