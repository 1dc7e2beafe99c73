#include <gtest/gtest.h>

#include "api/openai/chat_format.h"
#include "api/openai/chat_request.h"
#include "api/openai/completions.h"
#include "api/openai/embeddings.h"
#include "api/openai/errors.h"
#include "api/protocol/request_parts.h"
#include "api/protocol/testing.h"

namespace bothy::api::openai {
namespace {

using serve::ChatRequest;
using serve::Role;

ChatRequest Chat(std::string_view text) {
  auto exchange = ParseChat(Body(text));
  if (!exchange) ADD_FAILURE() << exchange.error().message;
  return exchange ? std::get<ChatRequest>(exchange->request) : ChatRequest();
}

std::string Refused(std::string_view more) {
  return RefusedField(
      ParseChat(Body(R"({"messages": [{"role": "user", "content": "a"}], )" + std::string(more) + "}")));
}

constexpr std::string_view kConversation = R"({
  "model": "ada/demo", "temperature": 0.5, "top_p": 0.9, "n": 2, "seed": -1, "stop": ["\n\n", "END"],
  "max_tokens": 5, "max_completion_tokens": 10, "presence_penalty": 1, "frequency_penalty": -2,
  "logit_bias": {"50": -100}, "logprobs": true, "top_logprobs": 2, "user": "u", "stream": true,
  "stream_options": {"include_usage": true}, "parallel_tool_calls": false, "reasoning_effort": "low",
  "messages": [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Weather"}, {"type": "text", "text": "in Paris?"}]},
    {"role": "assistant", "content": null, "reasoning_content": "Hm.", "tool_calls": [
      {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\": \"Paris\"}"}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "21"}],
  "tools": [{"type": "function", "function": {"name": "get_weather", "description": "d", "strict": true,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}],
  "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
  "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": true}},
  "something_new": {"x": 1}})";

TEST(OpenAiChat, ARequestIsReadWhole) {
  const ChatRequest request = Chat(kConversation);
  const serve::GenerationOptions& options = request.options;
  EXPECT_EQ(options.model, "ada/demo");
  EXPECT_EQ(json::value(options.sampling),
            Parsed(R"({"temperature": 0.5, "top_p": 0.9, "num_return_sequences": 2, "seed": -1, "max_new_tokens": 10,
                       "presence_penalty": 1.0, "frequency_penalty": -2.0, "logit_bias": {"50": -100}})"));
  EXPECT_EQ(options.stop, (std::vector<std::string>{"\n\n", "END"}));
  EXPECT_EQ(options.log_probs, 2);
  EXPECT_TRUE(options.stream && options.include_usage);
  EXPECT_EQ(options.user, "u");
  EXPECT_EQ(options.format.kind, serve::ResponseFormat::Kind::kJsonSchema);
  EXPECT_EQ(options.format.name, "s");
  ASSERT_EQ(request.messages.size(), 4);
  EXPECT_EQ(request.messages[0].role, Role::kSystem);
  EXPECT_EQ(request.messages[1].content, (std::vector<std::string>{"Weather", "in Paris?"}));
  EXPECT_EQ(request.messages[2].reasoning, "Hm.");
  EXPECT_EQ(request.messages[2].tool_calls,
            (std::vector<serve::ToolCall>{{"c1", "get_weather", R"({"city": "Paris"})"}}));
  EXPECT_EQ(request.messages[3].tool_call_id, "c1");
  EXPECT_EQ(request.messages[3].name, "get_weather");
  EXPECT_EQ(request.tools.at(0).description, "d");
  EXPECT_EQ(request.tool_choice.kind, serve::ToolChoice::Kind::kNamed);
  EXPECT_FALSE(request.parallel_tool_calls);
  EXPECT_EQ(request.effort, "low");
}

TEST(OpenAiChat, WhatIsWrongIsNamed) {
  const std::pair<std::string_view, std::string_view> kWrong[] = {
      {R"("temperature": 2.1)", "temperature"},
      {R"("temperature": "hot")", "temperature"},
      {R"("top_p": -0.1)", "top_p"},
      {R"("n": 0)", "n"},
      {R"("n": 129)", "n"},
      {R"("max_tokens": 0)", "max_tokens"},
      {R"("stop": [1])", "stop"},
      {R"("logit_bias": {"a": 1})", "logit_bias"},
      {R"("logit_bias": {"5": 101})", "logit_bias.5"},
      {R"("top_logprobs": 3)", "top_logprobs"},
      {R"("logprobs": true, "top_logprobs": 21)", "top_logprobs"},
      {R"("stream": 1)", "stream"},
      {R"("tools": [{"type": "web_search"}])", "tools[0].type"},
      {R"("tools": [{"type": "function", "function": {"name": "a b"}}])", "tools[0].function.name"},
      {R"("tool_choice": "required")", "tool_choice"},
      {R"("tool_choice": "sometimes")", "tool_choice"},
      {R"("tool_choice": {"type": "function", "function": {"name": "f"}})", "tool_choice"},
      {R"("response_format": {"type": "xml"})", "response_format.type"},
      {R"("response_format": {"type": "json_schema"})", "response_format.json_schema"},
      {R"("functions": [{"name": "f"}])", "functions"},
      {R"("modalities": ["text", "audio"])", "modalities"},
  };
  for (const auto& [more, field] : kWrong) EXPECT_EQ(Refused(more), field) << more;
}

TEST(OpenAiChat, WrongMessagesAreNamedByTheirPlace) {
  const auto refused = [](std::string_view messages) {
    return RefusedField(ParseChat(Body("{\"messages\": " + std::string(messages) + "}")));
  };
  EXPECT_EQ(refused("[]"), "messages");
  EXPECT_EQ(refused("null"), "messages");
  EXPECT_EQ(refused(R"([{"role": "user", "content": "a"}, 5])"), "messages[1]");
  EXPECT_EQ(refused(R"([{"role": "robot", "content": "a"}])"), "messages[0].role");
  EXPECT_EQ(refused(R"([{"role": "user"}])"), "messages[0].content");
  EXPECT_EQ(refused(R"([{"role": "tool", "content": "a"}])"), "messages[0].tool_call_id");
  EXPECT_EQ(refused(R"([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}])"),
            "messages[0].content[0].type");
  EXPECT_EQ(
      refused(R"([{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "x"}}]}])"),
      "messages[0].tool_calls[0].function.arguments");
}

// A list of so many items.
std::string ListOf(std::string_view item, size_t count) {
  std::string list;
  for (size_t i = 0; i < count; i++) list += (i == 0 ? "[" : ", ") + std::string(item);
  return list + "]";
}

TEST(OpenAiChat, ListsEndAtTheirLimits) {
  const auto stop = [](size_t count) { return Refused("\"stop\": " + ListOf("\"x\"", count)); };
  EXPECT_EQ(stop(kMaxStopStrings), "nothing was refused");
  EXPECT_EQ(stop(kMaxStopStrings + 1), "stop");
  const auto tools = [](size_t count) {
    return Refused("\"tools\": " + ListOf(R"({"type": "function", "function": {"name": "f"}})", count));
  };
  EXPECT_EQ(tools(kMaxTools), "nothing was refused");
  EXPECT_EQ(tools(kMaxTools + 1), "tools");
  const auto messages = [](size_t count) {
    return RefusedField(
        ParseChat(Body("{\"messages\": " + ListOf(R"({"role": "user", "content": "a"})", count) + "}")));
  };
  EXPECT_EQ(messages(kMaxMessages), "nothing was refused");
  EXPECT_EQ(messages(kMaxMessages + 1), "messages");
  const auto parts = [](size_t count) {
    return RefusedField(ParseChat(Body(R"({"messages": [{"role": "user", "content": )" +
                                       ListOf(R"({"type": "text", "text": "a"})", count) + "}]}")));
  };
  EXPECT_EQ(parts(kMaxParts), "nothing was refused");
  EXPECT_EQ(parts(kMaxParts + 1), "messages[0].content");
  const auto calls = [](size_t count) {
    return RefusedField(ParseChat(Body(R"({"messages": [{"role": "assistant", "tool_calls": )" +
                                       ListOf(R"({"id": "c", "function": {"name": "f"}})", count) + "}]}")));
  };
  EXPECT_EQ(calls(kMaxCalls), "nothing was refused");
  EXPECT_EQ(calls(kMaxCalls + 1), "messages[0].tool_calls");
  const auto prompts = [](size_t count) {
    return RefusedField(ParseCompletion(Body("{\"prompt\": " + ListOf("\"x\"", count) + "}")));
  };
  EXPECT_EQ(prompts(kMaxPrompts), "nothing was refused");
  EXPECT_EQ(prompts(kMaxPrompts + 1), "prompt");
}

serve::GenerationOptions Streaming(bool log_probs = false) {
  serve::GenerationOptions options;
  options.include_usage = true;
  if (log_probs) options.log_probs = 1;
  return options;
}

TEST(OpenAiChat, AWholeAnswerHasThoughtsTextAndCalls) {
  ChatFormat format({});
  const json::value body = Whole(format, Everything());
  EXPECT_EQ(At(body, "id"), "chatcmpl-abc");
  EXPECT_EQ(At(body, "object"), "chat.completion");
  EXPECT_EQ(At(body, "choices.0.message.content"), "I look.");
  EXPECT_EQ(At(body, "choices.0.message.reasoning_content"), "Hm.");
  EXPECT_EQ(At(body, "choices.0.message.tool_calls.0"), Parsed(R"({"id": "call_1", "type": "function",
                       "function": {"name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}})"));
  EXPECT_EQ(At(body, "choices.0.finish_reason"), "tool_calls");
  EXPECT_EQ(At(body, "usage"), Parsed(R"({"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12,
                       "prompt_tokens_details": {"cached_tokens": 4},
                       "completion_tokens_details": {"reasoning_tokens": 2}})"));
}

TEST(OpenAiChat, AnAnswerThatOnlyCallsHasNoContent) {
  ChatFormat format({});
  auto events = Everything();
  events.erase(events.begin(), events.begin() + 4);
  EXPECT_EQ(At(Whole(format, events), "choices.0.message.content"), nullptr);
}

TEST(OpenAiChat, AStreamBeginsWithTheRoleAndEndsWithUsage) {
  ChatFormat format(Streaming());
  const auto chunks = EventData(Stream(format, Everything()));
  ASSERT_EQ(chunks.size(), 11);
  EXPECT_EQ(At(chunks[0], "choices.0.delta"), Parsed(R"({"role": "assistant", "content": ""})"));
  EXPECT_EQ(At(chunks[1], "choices.0.delta.reasoning_content"), "Hm");
  EXPECT_EQ(At(chunks[3], "choices.0.delta.content"), "I ");
  EXPECT_EQ(At(chunks[5], "choices.0.delta.tool_calls.0.function.name"), "get_weather");
  EXPECT_EQ(At(chunks[6], "choices.0.delta.tool_calls.0.function.arguments"), "{\"city\":");
  EXPECT_EQ(At(chunks[8], "choices.0.finish_reason"), "tool_calls");
  EXPECT_EQ(At(chunks[8], "usage"), nullptr);
  EXPECT_EQ(At(chunks[9], "choices"), json::array());
  EXPECT_EQ(At(chunks[9], "usage.total_tokens"), 12);
  EXPECT_EQ(chunks[10], "[DONE]");
}

TEST(OpenAiChat, EachChoiceOfAStreamSaysItsRole) {
  ChatFormat format({});
  const auto chunks = EventData(Stream(format, {{1, serve::TextDelta{"b"}, {}}, {0, serve::TextDelta{"a"}, {}}}));
  ASSERT_EQ(chunks.size(), 5);
  EXPECT_EQ(At(chunks[0], "choices.0.index"), 1);
  EXPECT_EQ(At(chunks[2], "choices.0.delta.role"), "assistant");
  EXPECT_EQ(At(chunks[2], "choices.0.index"), 0);
}

TEST(OpenAiChat, LogProbabilitiesComeWithTheirTokens) {
  ChatFormat format(Streaming(true));
  const json::value body = Whole(format, Words({}));
  EXPECT_EQ(At(body, "choices.0.logprobs.content.0.token"), "Hi");
  EXPECT_EQ(At(body, "choices.0.logprobs.content.0.top_logprobs.1.bytes"), json::array{0xC3});
  EXPECT_EQ(At(body, "choices.0.logprobs.content.1.logprob"), -0.25);
  const auto chunks = EventData(Stream(format, Words({})));
  EXPECT_EQ(At(chunks[2], "choices.0.logprobs.content.0.token"), " you");
}

TEST(OpenAiChat, AnErrorWithinAStreamIsAnEvent) {
  ChatFormat format({});
  const auto events = EventData(format.Failed({ErrorCode::kOutOfRange, "messages: 9 tokens, the context holds 8"}));
  EXPECT_EQ(At(events[0], "error"),
            Parsed(R"({"message": "messages: 9 tokens, the context holds 8", "type": "invalid_request_error",
                       "param": "messages", "code": "context_length_exceeded"})"));
}

TEST(OpenAiErrors, AStatusAndAKindForEach) {
  const net::Response missing = Refuse({ErrorCode::kNotFound, "there is no model x/y"});
  EXPECT_EQ(missing.status, net::Status::kNotFound);
  const json::value body = Parsed(std::get<std::string>(missing.body));
  EXPECT_EQ(At(body, "error.code"), "model_not_found");
  EXPECT_EQ(At(body, "error.param"), nullptr);
  EXPECT_EQ(Refuse({ErrorCode::kInvalidArgument, "n: x"}).status, net::Status::kBadRequest);
  EXPECT_EQ(At(ErrorBody({ErrorCode::kInternal, "n: x"}), "error.type"), "server_error");
}

TEST(OpenAiCompletions, PromptsAndSettingsAreRead) {
  const auto exchange = ParseCompletion(
      Body(R"({"model": "m", "prompt": ["a", "b"], "n": 2, "best_of": 2, "echo": true, "logprobs": 3})"));
  ASSERT_TRUE(exchange);
  const auto& request = std::get<serve::CompletionRequest>(exchange->request);
  EXPECT_EQ(request.prompts.size(), 2);
  EXPECT_TRUE(request.echo && request.options.prompt_log_probs);
  EXPECT_EQ(request.options.log_probs, 3);
  EXPECT_EQ(RefusedField(ParseCompletion(Body(R"({"prompt": "a", "suffix": "b"})"))), "suffix");
  EXPECT_EQ(RefusedField(ParseCompletion(Body(R"({"prompt": "a", "best_of": 2})"))), "best_of");
  EXPECT_EQ(RefusedField(ParseCompletion(Body(R"({"model": "m"})"))), "prompt");
}

TEST(OpenAiCompletions, TextOffsetsCountCharacters) {
  serve::GenerationOptions options;
  options.log_probs = 1;
  CompletionFormat format(options);
  auto events = Words({serve::StopReason::kLength, ""});
  std::get<serve::TextDelta>(events[0].what).text = events[0].tokens[0].text = "äh";
  const json::value body = Whole(format, events);
  EXPECT_EQ(At(body, "choices.0.text"), "äh you");
  EXPECT_EQ(At(body, "choices.0.finish_reason"), "length");
  EXPECT_EQ(At(body, "choices.0.logprobs.text_offset"), (json::array{0, 2}));
  const auto chunks = EventData(Stream(format, events));
  ASSERT_EQ(chunks.size(), 4);
  EXPECT_EQ(At(chunks[1], "choices.0.logprobs.text_offset"), json::array{2});
  EXPECT_EQ(At(chunks[2], "choices.0.finish_reason"), "length");
}

TEST(OpenAiEmbeddings, VectorsAreNumbersOrBytes) {
  const auto exchange = ParseEmbeddings(Body(R"({"input": ["a"], "encoding_format": "base64", "dimensions": 2})"));
  ASSERT_TRUE(exchange);
  EXPECT_TRUE(exchange->base64);
  EXPECT_EQ(exchange->request.dimensions, 2);
  const json::value numbers = EmbeddingsBody({{1, -2}}, false, "m", 3);
  EXPECT_EQ(At(numbers, "data.0.embedding"), (json::array{1.0, -2.0}));
  EXPECT_EQ(At(numbers, "usage.total_tokens"), 3);
  // 00 00 80 3f, 00 00 00 c0
  EXPECT_EQ(At(EmbeddingsBody({{1, -2}}, true, "m", 3), "data.0.embedding"), "AACAPwAAAMA=");
  EXPECT_EQ(RefusedField(ParseEmbeddings(Body(R"({"input": "a", "encoding_format": "int8"})"))), "encoding_format");
}

}  // namespace
}  // namespace bothy::api::openai
