// One request on its way through one model: prompts become tokens, tokens become an answer's events.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serve/answer.h"
#include "serve/answer_reader.h"
#include "serve/served_model.h"

namespace bothy::serve {

struct AskedBy {
  std::string user;         // users get equal parts of the work
  std::string cache_scope;  // prompts that were run are used again within it
  int priority = 0;
};

// For one thread at a time, but for the sink. Gone before its end, it ends the work on it.
class Answering {
 public:
  // Where events of the model go: on the scheduler's thread, which it must not hold up. `prompt` is the number of the
  // prompt that they are for.
  using Sink = std::function<void(size_t prompt, StreamEvent event)>;

  // Makes tokens of the prompts and hands them to the scheduler; takes the time of that. After an error the sink is
  // never called again. kInvalidArgument and kUnimplemented for what the model cannot do, kOutOfRange for a prompt that
  // is too long, kResourceExhausted where too many wait.
  static Result<std::unique_ptr<Answering>> Start(std::shared_ptr<ServedModel> model, const ChatRequest& request,
                                                  const AskedBy& by, const std::string& id, Sink sink);
  static Result<std::unique_ptr<Answering>> Start(std::shared_ptr<ServedModel> model, const CompletionRequest& request,
                                                  const AskedBy& by, const std::string& id, Sink sink);
  ~Answering() { Cancel(); }
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

  // What an event of the model means for the answer; the error with which the model failed.
  Result<std::vector<ChatEvent>> Take(size_t prompt, StreamEvent event);

  // What stands before all that the model says: the prompts, where the request wants them in the text.
  const std::vector<ChatEvent>& opening() const { return opening_; }
  size_t prompt_tokens() const { return prompt_tokens_; }  // of all prompts

  bool finished() const { return prompts_left_ == 0; }
  // When it is finished.
  const Summary& summary() const { return summary_; }

  void Cancel();

 private:
  explicit Answering(std::shared_ptr<ServedModel> model) : model_(std::move(model)) {}

  // What a prompt's texts are read by; called once for each of them.
  using MakeReader = std::function<AnswerReader(size_t choice)>;

  Result<SamplingParams> ParamsOf(const GenerationOptions& options) const;
  Result<void> Submit(TokenIds prompt, const GenerationOptions& options, SamplingParams params, const AskedBy& by,
                      const std::shared_ptr<const CompiledGrammar>& grammar, const ReasoningReader& reasoning,
                      bool calls, const MakeReader& reader, const Sink& sink);
  TokenDetail DetailOf(int32_t token, const std::optional<LogProbs>& log_probs) const;
  AnswerEnd EndOf(const SequenceEnd& end) const;

  std::shared_ptr<ServedModel> model_;
  std::vector<std::string> stop_strings_;
  size_t per_prompt_ = 1;     // continuations
  bool with_tokens_ = false;  // events carry them
  bool length_asked_ = false;
  int64_t asked_tokens_ = 0;           // the most new ones of a text
  std::vector<StreamId> ids_;          // by prompt
  std::vector<AnswerReader> readers_;  // by choice
  std::vector<ChatEvent> opening_;
  size_t prompt_tokens_ = 0;
  size_t prompts_left_ = 0;
  Summary summary_;
};

}  // namespace bothy::serve
