// What every protocol's request turns into, and what every protocol's answer is made of: a conversation or prompts go
// in, events come out. No JSON of any protocol is here but schemas and settings, and nothing of HTTP.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "codec/json.h"

namespace bothy::serve {

enum class Role { kSystem, kUser, kAssistant, kTool };
std::string_view RoleName(Role role);  // as chat templates call it

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // a JSON object's text

  bool operator==(const ToolCall&) const = default;
};

struct Message {
  Role role = Role::kUser;
  std::vector<std::string> content;  // text, part by part; none: nothing was said, which is not ""
  std::string reasoning;             // kAssistant
  std::vector<ToolCall> tool_calls;  // kAssistant
  std::string tool_call_id;          // kTool: whose result this is
  std::string name;                  // kTool: the function's; else who speaks
};

struct Tool {
  std::string name;
  std::string description;
  json::object parameters;  // JSON schema; empty: nobody says
};

struct ToolChoice {
  enum class Kind { kAuto, kNone, kRequired, kNamed };
  Kind kind = Kind::kAuto;
  std::string name;  // kNamed
};

struct ResponseFormat {
  enum class Kind { kText, kJsonObject, kJsonSchema, kRegex, kGbnf };
  Kind kind = Kind::kText;
  std::string name;    // kJsonSchema: what the client calls it
  json::value schema;  // kJsonSchema
  std::string text;    // kRegex, kGbnf

  bool operator==(const ResponseFormat&) const = default;
};

// What conversations and plain prompts have in common.
struct GenerationOptions {
  std::string model;  // "" where the request names none

  // Settings under their names in SamplingParams (max_new_tokens, num_return_sequences, seed, logit_bias ... too), to
  // be put on top of the model's own by ReadSampling(kRequest). They have passed it once, on top of its defaults.
  json::object sampling;
  std::vector<std::string> stop;  // beside the model's own
  bool ignore_end = false;        // end tokens do not end it

  std::optional<size_t> log_probs;  // each token's, with that many of the likeliest: events carry tokens
  bool prompt_log_probs = false;    // the prompt's tokens too, in Answer::prompt_tokens
  ResponseFormat format;

  bool stream = false;
  bool include_usage = false;  // at the end of a stream

  // The least tokens of context that must be there; the model's own length where nobody says.
  std::optional<int64_t> context_length;
  std::optional<double> keep_loaded_seconds;  // after the answer; below 0: for good
  std::string user;                           // whom the client asks for
};

struct ChatRequest {
  GenerationOptions options;
  std::vector<Message> messages;  // not empty
  std::vector<Tool> tools;
  ToolChoice tool_choice;
  bool parallel_tool_calls = true;      // false: one call at most
  std::optional<bool> think;            // reasoning models: whether to; nothing: as the template likes
  std::string effort;                   // "low", "medium", "high" where the client says; "" else
  bool continue_final_message = false;  // the last message is the beginning of the answer
  json::object template_variables;      // further ones, for the chat template
};

using TokenIds = std::vector<int32_t>;
using Prompt = std::variant<std::string, TokenIds>;

struct CompletionRequest {
  GenerationOptions options;
  std::vector<Prompt> prompts;      // not empty; choice = prompt * num_return_sequences + number
  bool echo = false;                // the text begins with the prompt
  std::optional<int64_t> truncate;  // only the last tokens of a prompt
  bool add_special_tokens = true;   // such as <s> before a text
};

struct EmbeddingRequest {
  std::string model;
  std::vector<Prompt> inputs;         // not empty
  std::optional<int64_t> dimensions;  // only the first ones, scaled to length 1 again
  bool truncate = false;              // inputs longer than the context are cut; false: an error
  bool normalize = true;
  std::optional<double> keep_loaded_seconds;
  std::string user;
};

struct LikelyToken {
  int32_t id = 0;
  std::string text;  // its bytes
  float log_prob = 0;
};

struct TokenDetail {
  int32_t id = 0;
  std::string text;               // its bytes, which need not be whole characters
  std::optional<float> log_prob;  // nothing for a prompt's first token
  bool special = false;
  std::vector<LikelyToken> top;
};

struct TextDelta {
  std::string text;
};
struct ReasoningDelta {
  std::string text;
};
struct ToolCallStart {
  size_t index = 0;  // in the choice
  std::string id;
  std::string name;
};
struct ToolCallArguments {
  size_t index = 0;
  std::string text;  // the next piece of the JSON object's text
};
struct ToolCallEnd {
  size_t index = 0;
};

enum class StopReason {
  kEnd,         // an end token
  kStopString,  // which is in AnswerEnd
  kToolCalls,   // the model waits for their results
  kLength,      // as many tokens as were asked for
  kContext,     // the model's context is full
  kCancelled,
};
struct AnswerEnd {
  StopReason reason = StopReason::kEnd;
  std::string stop_string;
};

// What comes of a choice, in this order: deltas of reasoning, text and tool calls (each call's start, arguments, end
// come together, calls one after another), then AnswerEnd. Choices come in any order among each other.
struct ChatEvent {
  using What = std::variant<TextDelta, ReasoningDelta, ToolCallStart, ToolCallArguments, ToolCallEnd, AnswerEnd>;
  size_t choice = 0;
  What what;
  // Those that were generated since the choice's last event, where GenerationOptions::log_probs asks for them.
  std::vector<TokenDetail> tokens;
};

struct Usage {
  size_t prompt_tokens = 0;
  size_t cached_tokens = 0;      // of the prompt's
  size_t completion_tokens = 0;  // of all choices
  size_t reasoning_tokens = 0;   // of the completion's
};

struct Timing {  // in nanoseconds
  int64_t load = 0, queue = 0, prompt = 0, generation = 0, total = 0;
};

// What is known when the last event has come.
struct Summary {
  Usage usage;
  Timing timing;
  uint64_t seed = 0;                  // that was drawn or asked for
  std::vector<size_t> choice_tokens;  // generated, of each choice
};

}  // namespace bothy::serve
