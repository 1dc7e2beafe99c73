// An answer as a whole, put together from its events, and the interface by which one function drives every protocol.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serve/chat.h"

namespace bothy::serve {

struct Choice {
  std::string text;
  std::string reasoning;
  std::vector<ToolCall> tool_calls;
  std::vector<TokenDetail> tokens;
  AnswerEnd end;
};

struct Answer {
  std::vector<Choice> choices;
  std::vector<std::vector<TokenDetail>> prompt_tokens;  // of each prompt, where they were asked for

  void Add(const ChatEvent& event);
};

// What the server says about an answer.
struct AnswerHead {
  std::string id;       // letters and digits; each protocol puts its prefix before it
  std::string model;    // as the request named it, or the name that was used instead
  int64_t created = 0;  // seconds since 1970
  size_t prompt_tokens = 0;
  std::string server;  // "bothy 0.1.0", where a protocol tells
};

// Writes one answer in one protocol's form: either Whole(), or Start(), Event()..., and End() or Failed().
class AnswerFormat {
 public:
  virtual ~AnswerFormat() = default;

  virtual std::string Whole(const AnswerHead& head, const Answer& answer, const Summary& summary) = 0;

  // Of a stream; each gives bytes for the body, framed already; may be nothing.
  virtual std::string_view media_type() const { return "text/event-stream"; }
  virtual std::string Start(const AnswerHead& head) = 0;
  virtual std::string Event(const ChatEvent& event) = 0;
  virtual std::string End(const Summary& summary) = 0;
  // The stream ends here for a reason that became known after its start.
  virtual std::string Failed(const Error& error) = 0;
};

// A request that was understood, and how it wants to be answered.
struct Exchange {
  std::variant<ChatRequest, CompletionRequest> request;
  std::unique_ptr<AnswerFormat> format;
  // There is nothing to answer, and messages or prompts are empty: the model is to be loaded, or let go where
  // keep_loaded_seconds is 0. The answer is Whole() of no choices.
  bool load_only = false;

  const GenerationOptions& options() const;
};

}  // namespace bothy::serve
