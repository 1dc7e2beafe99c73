#include <gtest/gtest.h>

#include "api/openai/responses_format.h"
#include "api/openai/responses_request.h"
#include "api/protocol/testing.h"

namespace bothy::api::openai {
namespace {

using serve::ChatRequest;
using serve::Role;

constexpr std::string_view kRequest = R"({
  "model": "m", "instructions": "Be brief.", "max_output_tokens": 9, "temperature": 0.3, "metadata": {"k": "v"},
  "input": [
    {"role": "user", "content": "Weather?"},
    {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look.", "annotations": []}]},
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{\"a\": 1}"},
    {"type": "function_call_output", "call_id": "c1", "output": "21"},
    {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "22"}]}],
  "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true}],
  "tool_choice": {"type": "function", "name": "f"},
  "text": {"format": {"type": "json_schema", "name": "s", "schema": {"type": "object"}}},
  "reasoning": {"effort": "high"}, "include": ["message.output_text.logprobs"], "top_logprobs": 2, "store": true})";

TEST(OpenAiResponses, ATurnOfSeveralItemsIsOneMessage) {
  const auto exchange = ParseResponses(Body(kRequest));
  ASSERT_TRUE(exchange) << exchange.error().message;
  const auto& request = std::get<ChatRequest>(exchange->request);
  ASSERT_EQ(request.messages.size(), 5);
  EXPECT_EQ(request.messages[0].role, Role::kSystem);
  EXPECT_EQ(request.messages[2].reasoning, "Hm.");
  EXPECT_EQ(request.messages[2].content, std::vector<std::string>{"I look."});
  EXPECT_EQ(request.messages[2].tool_calls.size(), 2);
  EXPECT_EQ(request.messages[4].name, "g");
  EXPECT_EQ(request.messages[4].content, std::vector<std::string>{"22"});
  EXPECT_EQ(request.options.format.name, "s");
  EXPECT_EQ(request.options.log_probs, 2);
  EXPECT_EQ(request.effort, "high");
  EXPECT_EQ(request.tool_choice.name, "f");
  EXPECT_EQ(request.options.sampling.at("max_new_tokens"), 9);
}

TEST(OpenAiResponses, WhatWouldNeedMemoryIsRefusedByName) {
  const auto refused = [](std::string_view more) {
    return RefusedField(ParseResponses(Body(R"({"input": "a", )" + std::string(more) + "}")));
  };
  EXPECT_EQ(refused(R"("previous_response_id": "resp_1")"), "previous_response_id");
  EXPECT_EQ(refused(R"("conversation": {"id": "c"})"), "conversation");
  EXPECT_EQ(refused(R"("background": true)"), "background");
  EXPECT_EQ(refused(R"("tools": [{"type": "web_search"}])"), "tools[0].type");
  EXPECT_EQ(RefusedField(ParseResponses(Body(R"({"input": [{"type": "item_reference", "id": "x"}]})"))),
            "input[0].type");
  EXPECT_EQ(RefusedField(ParseResponses(Body(R"({"input": []})"))), "input");
}

std::vector<std::string> Types(const std::vector<json::value>& events) {
  std::vector<std::string> types;
  for (const json::value& event : events) types.emplace_back(At(event, "type").as_string());
  return types;
}

TEST(OpenAiResponses, ItemsGrowByEventsInOrder) {
  auto exchange = ParseResponses(Body(kRequest));
  ASSERT_TRUE(exchange);
  const auto events = EventData(Stream(*exchange->format, Everything()));
  EXPECT_EQ(Types(events), (std::vector<std::string>{
                               "response.created",
                               "response.in_progress",
                               "response.output_item.added",
                               "response.content_part.added",
                               "response.reasoning_text.delta",
                               "response.reasoning_text.delta",
                               "response.reasoning_text.done",
                               "response.content_part.done",
                               "response.output_item.done",
                               "response.output_item.added",
                               "response.content_part.added",
                               "response.output_text.delta",
                               "response.output_text.delta",
                               "response.output_text.done",
                               "response.content_part.done",
                               "response.output_item.done",
                               "response.output_item.added",
                               "response.function_call_arguments.delta",
                               "response.function_call_arguments.delta",
                               "response.function_call_arguments.done",
                               "response.output_item.done",
                               "response.completed",
                           }));
  for (size_t i = 0; i < events.size(); i++) EXPECT_EQ(At(events[i], "sequence_number"), i);
  EXPECT_EQ(At(events[13], "text"), "I look.");
  EXPECT_EQ(At(events[13], "output_index"), 1);
  EXPECT_EQ(At(events[19], "arguments"), R"({"city":"Paris"})");
  const json::value response = At(events[21], "response");
  EXPECT_EQ(At(response, "status"), "completed");
  EXPECT_EQ(At(response, "output.2.call_id"), "call_1");
  EXPECT_EQ(At(response, "instructions"), "Be brief.");
  EXPECT_EQ(At(response, "metadata.k"), "v");
  EXPECT_EQ(At(response, "usage.input_tokens_details.cached_tokens"), 4);
}

TEST(OpenAiResponses, AWholeAnswerIsTheStreamsLast) {
  auto streamed = ParseResponses(Body(kRequest));
  auto whole = ParseResponses(Body(kRequest));
  ASSERT_TRUE(streamed && whole);
  const auto events = EventData(Stream(*streamed->format, Everything()));
  EXPECT_EQ(Whole(*whole->format, Everything()), At(events.back(), "response"));
}

TEST(OpenAiResponses, AnAnswerThatWasCutOffIsIncomplete) {
  ResponsesFormat format({});
  const auto events = EventData(Stream(format, Words({serve::StopReason::kLength, ""})));
  EXPECT_EQ(At(events.back(), "type"), "response.incomplete");
  EXPECT_EQ(At(events.back(), "response.incomplete_details.reason"), "max_output_tokens");
  EXPECT_EQ(At(events.back(), "response.output.0.status"), "incomplete");
}

TEST(OpenAiResponses, AFailureSaysWhatHasCome) {
  ResponsesFormat format({});
  format.Start(kHead);
  const auto events = EventData(format.Failed({ErrorCode::kInternal, "secret"}));
  EXPECT_EQ(At(events[0], "type"), "response.failed");
  EXPECT_EQ(At(events[0], "response.error.message"), "internal error");
}

}  // namespace
}  // namespace bothy::api::openai
