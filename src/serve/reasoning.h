// What a reasoning model thinks before it answers, told apart from the answer.
#pragma once

#include <string>
#include <string_view>

namespace bothy::serve {

struct ReasoningTags {
  std::string open, close;  // "": the model's template knows of none
};

// Of a chat template's text.
ReasoningTags FindReasoningTags(std::string_view template_source);

class ReasoningReader {
 public:
  // The prompt's end tells whether the model is thinking already.
  ReasoningReader(ReasoningTags tags, std::string_view prompt);

  struct Parts {
    std::string reasoning, text;
  };
  // What is certain by the next piece. Blanks around thoughts belong to neither.
  Parts Feed(std::string_view piece);
  Parts Finish();

  bool thinking() const { return state_ == State::kThinking; }

 private:
  enum class State { kStart, kThinking, kBehind, kText };

  ReasoningTags tags_;
  State state_;
  std::string held_;
  bool shown_ = false;  // of the thoughts
};

}  // namespace bothy::serve
