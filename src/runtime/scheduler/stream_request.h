// What is asked of a scheduler and what comes back.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "runtime/generation.h"

namespace bothy {

struct StreamRequest {
  // As for GenerationSession, with the same tokens as result; but no beams, and `finished` is not looked at.
  // Stop strings need the scheduler to have a tokenizer.
  GenerationRequest generation;
  std::string user;         // whose it is: users get equal parts of the work
  std::string cache_scope;  // what was run for one request is used again only for those of the same scope
  int priority = 0;         // what is higher goes before everything lower
};

struct StreamToken {
  uint32_t sequence = 0;  // of num_return_sequences
  int32_t token = 0;
  bool end = false;  // an end token: it belongs to the continuation, not to its text
  std::string text;  // what has become certain with it
  std::optional<LogProbs> log_probs;
};

struct SequenceEnd {
  uint32_t sequence = 0;
  FinishReason reason = FinishReason::kLength;
  std::string text;                   // the rest of it
  std::optional<size_t> stop_string;  // the one that was found
  size_t tokens = 0;
};

struct RequestEnd {
  std::optional<Error> error;  // where the engine failed, not where it was cancelled
  uint64_t seed = 0;           // what was drawn with: the request's, or one made for it
  size_t prompt_tokens = 0;
  size_t cached_tokens = 0;  // of the prompt, that had been run before
  size_t generated_tokens = 0;
};

// Each sequence has its tokens and then one SequenceEnd; the last event of all is one RequestEnd.
using StreamEvent = std::variant<StreamToken, SequenceEnd, RequestEnd>;

// Called on the scheduler's thread, which everybody waits for: hands the event on and does no more. There is at most an
// event for each token that was asked for, one for each sequence, and the last.
using StreamSink = std::function<void(StreamEvent)>;

using StreamId = uint64_t;

}  // namespace bothy
