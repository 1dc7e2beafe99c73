#include <gtest/gtest.h>

#include "api/anthropic/errors.h"
#include "api/anthropic/messages_format.h"
#include "api/anthropic/messages_request.h"
#include "api/protocol/testing.h"

namespace bothy::api::anthropic {
namespace {

using serve::ChatRequest;
using serve::Role;

constexpr std::string_view kRequest = R"({
  "model": "m", "max_tokens": 50, "temperature": 1, "top_k": 5, "stop_sequences": ["END"], "stream": true,
  "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
  "messages": [
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": [
      {"type": "thinking", "thinking": "Hm.", "signature": ""},
      {"type": "text", "text": "I look."},
      {"type": "tool_use", "id": "t1", "name": "get_weather", "input": {"city": "Paris"}}]},
    {"role": "user", "content": [
      {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "21"}]},
      {"type": "text", "text": "And now?"}]}],
  "tools": [{"name": "get_weather", "description": "d", "input_schema": {"type": "object"}}],
  "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
  "thinking": {"type": "enabled", "budget_tokens": 1024}, "metadata": {"user_id": "u"}})";

TEST(AnthropicMessages, ResultsOfToolsBecomeMessages) {
  const auto exchange = ParseMessages(Body(kRequest));
  ASSERT_TRUE(exchange) << exchange.error().message;
  const auto& request = std::get<ChatRequest>(exchange->request);
  ASSERT_EQ(request.messages.size(), 5);
  EXPECT_EQ(request.messages[0].role, Role::kSystem);
  EXPECT_EQ(request.messages[2].tool_calls,
            (std::vector<serve::ToolCall>{{"t1", "get_weather", R"({"city":"Paris"})"}}));
  EXPECT_EQ(request.messages[2].reasoning, "Hm.");
  EXPECT_EQ(request.messages[3].role, Role::kTool);
  EXPECT_EQ(request.messages[3].name, "get_weather");
  EXPECT_EQ(request.messages[4].content, std::vector<std::string>{"And now?"});
  EXPECT_EQ(request.tool_choice.kind, serve::ToolChoice::Kind::kRequired);
  EXPECT_FALSE(request.parallel_tool_calls);
  EXPECT_FALSE(request.continue_final_message);
  EXPECT_EQ(request.think, true);
  EXPECT_EQ(request.options.user, "u");
  EXPECT_EQ(request.options.stop, std::vector<std::string>{"END"});
}

TEST(AnthropicMessages, AnAnswerThatIsBegunIsGoneOnWith) {
  const auto exchange = ParseMessages(Body(
      R"({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})"));
  ASSERT_TRUE(exchange);
  EXPECT_TRUE(std::get<ChatRequest>(exchange->request).continue_final_message);
}

TEST(AnthropicMessages, WhatIsWrongIsNamed) {
  const auto refused = [](std::string_view more) {
    return RefusedField(ParseMessages(
        Body(R"({"model": "m", "messages": [{"role": "user", "content": "a"}], )" + std::string(more) + "}")));
  };
  EXPECT_EQ(refused(R"("top_p": 1)"), "max_tokens");
  EXPECT_EQ(refused(R"("max_tokens": 5, "temperature": 1.5)"), "temperature");
  EXPECT_EQ(refused(R"("max_tokens": 5, "tool_choice": {"type": "tool", "name": "f"})"), "tool_choice");
  EXPECT_EQ(refused(R"("max_tokens": 5, "tools": [{"type": "bash_20250124", "name": "bash"}])"), "tools[0].type");
  EXPECT_EQ(RefusedField(ParseMessages(Body(
                R"({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": [{"type": "image"}]}]})"))),
            "messages[0].content[0].type");
  EXPECT_EQ(RefusedField(ParseMessages(
                Body(R"({"model": "m", "max_tokens": 5, "messages": [{"role": "system", "content": "a"}]})"))),
            "messages[0].role");
}

TEST(AnthropicMessages, TokensAreCountedOfTheSameMessages) {
  const auto request = ParseCountTokens(Body(R"({"model": "m", "messages": [{"role": "user", "content": "a"}]})"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->messages.size(), 1);
  EXPECT_EQ(json::Serialize(TokenCountBody(7)), R"({"input_tokens":7})");
}

TEST(AnthropicMessages, BlocksGrowByEventsInOrder) {
  MessagesFormat format;
  const auto events = EventData(Stream(format, Everything()));
  std::vector<std::string> types;
  for (const json::value& event : events) types.emplace_back(At(event, "type").as_string());
  EXPECT_EQ(types, (std::vector<std::string>{"message_start", "content_block_start", "content_block_delta",
                                             "content_block_delta", "content_block_stop", "content_block_start",
                                             "content_block_delta", "content_block_delta", "content_block_stop",
                                             "content_block_start", "content_block_delta", "content_block_delta",
                                             "content_block_stop", "message_delta", "message_stop"}));
  EXPECT_EQ(At(events[0], "message.usage.input_tokens"), 7);
  EXPECT_EQ(At(events[2], "delta"), Parsed(R"({"type": "thinking_delta", "thinking": "Hm"})"));
  EXPECT_EQ(At(events[5], "index"), 1);
  EXPECT_EQ(At(events[9], "content_block"),
            Parsed(R"({"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {}})"));
  EXPECT_EQ(At(events[10], "delta"), Parsed(R"({"type": "input_json_delta", "partial_json": "{\"city\":"})"));
  EXPECT_EQ(At(events[13], "delta.stop_reason"), "tool_use");
  EXPECT_EQ(At(events[13], "usage"), Parsed(R"({"input_tokens": 3, "cache_creation_input_tokens": 0,
                                                "cache_read_input_tokens": 4, "output_tokens": 5})"));
}

TEST(AnthropicMessages, AWholeAnswerIsOfBlocks) {
  MessagesFormat format;
  const json::value body = Whole(format, Everything());
  EXPECT_EQ(At(body, "content.0.thinking"), "Hm.");
  EXPECT_EQ(At(body, "content.1.text"), "I look.");
  EXPECT_EQ(At(body, "content.2.input.city"), "Paris");
  EXPECT_EQ(At(body, "stop_reason"), "tool_use");
  const json::value stopped = Whole(format, Words({serve::StopReason::kStopString, "END"}));
  EXPECT_EQ(At(stopped, "stop_reason"), "stop_sequence");
  EXPECT_EQ(At(stopped, "stop_sequence"), "END");
}

TEST(AnthropicErrors, HaveTheirShapeAndKind) {
  const net::Response response = Refuse({ErrorCode::kNotFound, "there is no model m"});
  EXPECT_EQ(response.status, net::Status::kNotFound);
  EXPECT_EQ(std::get<std::string>(response.body),
            R"({"type":"error","error":{"type":"not_found_error","message":"there is no model m"},"request_id":null})");
  EXPECT_EQ(At(ErrorBody({ErrorCode::kUnavailable, ""}), "error.type"), "overloaded_error");
}

}  // namespace
}  // namespace bothy::api::anthropic
