#include <gtest/gtest.h>

#include "api/protocol/testing.h"
#include "api/tgi/format.h"
#include "api/tgi/generate.h"
#include "api/tgi/info.h"

namespace bothy::api::tgi {
namespace {

using serve::CompletionRequest;

TEST(Tgi, ARequestIsReadWhole) {
  const auto exchange = ParseGenerate(Body(R"({"inputs": "a", "parameters": {
    "temperature": 0.5, "repetition_penalty": 1.2, "top_k": 5, "top_p": 0.9, "typical_p": 0.95, "do_sample": true,
    "seed": 3, "max_new_tokens": 4, "stop": ["x"], "truncate": 10, "details": true, "top_n_tokens": 2,
    "decoder_input_details": true, "best_of": 1, "watermark": false, "return_full_text": true,
    "grammar": {"type": "json", "value": "{\"type\": \"object\"}"}}})"),
                                      Route::kGenerate);
  ASSERT_TRUE(exchange) << exchange.error().message;
  const auto& request = std::get<CompletionRequest>(exchange->request);
  EXPECT_EQ(json::value(request.options.sampling),
            Parsed(R"({"temperature": 0.5, "repetition_penalty": 1.2, "top_k": 5, "top_p": 0.9, "typical_p": 0.95,
                       "seed": 3, "max_new_tokens": 4, "do_sample": true})"));
  EXPECT_EQ(request.truncate, 10);
  EXPECT_TRUE(request.echo && request.options.prompt_log_probs);
  EXPECT_EQ(request.options.log_probs, 2);
  EXPECT_EQ(request.options.format.schema, Parsed(R"({"type": "object"})"));
}

TEST(Tgi, DefaultsDependOnTheRoute) {
  const auto plain = ParseGenerate(Body(R"({"inputs": "a"})"), Route::kGenerate);
  const auto stream = ParseGenerate(Body(R"({"inputs": "a"})"), Route::kStream);
  const auto task = ParseGenerate(Body(R"({"inputs": "a"})"), Route::kTask);
  ASSERT_TRUE(plain && stream && task);
  EXPECT_EQ(plain->options().sampling.at("max_new_tokens"), 100);
  EXPECT_FALSE(plain->options().stream);
  EXPECT_TRUE(stream->options().stream);
  EXPECT_FALSE(std::get<CompletionRequest>(plain->request).echo);
  EXPECT_TRUE(std::get<CompletionRequest>(task->request).echo);
  EXPECT_EQ(At(Whole(*task->format, Words({})), "0.generated_text"), "Hi you");
}

TEST(Tgi, WhatIsWrongIsNamed) {
  const auto refused = [](std::string_view parameters, Route route = Route::kGenerate) {
    return RefusedField(
        ParseGenerate(Body(R"({"inputs": "a", "parameters": )" + std::string(parameters) + "}"), route));
  };
  EXPECT_EQ(refused(R"({"temperature": 0})"), "parameters.temperature");
  EXPECT_EQ(refused(R"({"best_of": 2})"), "parameters.best_of");
  EXPECT_EQ(refused(R"({"watermark": true})"), "parameters.watermark");
  EXPECT_EQ(refused(R"({"grammar": {"type": "bnf", "value": ""}})"), "parameters.grammar.type");
  EXPECT_EQ(refused(R"({"grammar": {"type": "json", "value": "{"}})"), "parameters.grammar.value");
  EXPECT_EQ(refused(R"({"decoder_input_details": true})", Route::kStream), "parameters.decoder_input_details");
  EXPECT_EQ(RefusedField(ParseGenerate(Body("{}"), Route::kGenerate)), "inputs");
}

TEST(Tgi, DetailsTellEachToken) {
  Format format({.details = true, .top_tokens = true});
  serve::Answer answer;
  for (const auto& event : Words({serve::StopReason::kStopString, "x"})) answer.Add(event);
  answer.prompt_tokens = {{{.id = 1, .text = "<s>"}, {.id = 2, .text = "a", .log_prob = -3}}};
  EXPECT_EQ(Parsed(format.Whole(kHead, answer, ASummary())), Parsed(R"({"generated_text": "Hi you", "details": {
      "finish_reason": "stop_sequence", "generated_tokens": 5, "seed": 42,
      "prefill": [{"id": 1, "text": "<s>", "logprob": null}, {"id": 2, "text": "a", "logprob": -3.0}],
      "tokens": [{"id": 5, "text": "Hi", "logprob": -0.5, "special": false},
                 {"id": 9, "text": " you", "logprob": -0.25, "special": false}],
      "top_tokens": [[{"id": 5, "text": "Hi", "logprob": -0.5, "special": false},
                      {"id": 6, "text": "�", "logprob": -1.0, "special": false}], []]}})"));
}

TEST(Tgi, TheLastTokenOfAStreamComesWithTheText) {
  Format format({});
  const auto events = EventData(Stream(format, Words({serve::StopReason::kLength, ""})), "data:");
  ASSERT_EQ(events.size(), 2);
  EXPECT_EQ(events[0], Parsed(R"({"index": 1, "token": {"id": 5, "text": "Hi", "logprob": -0.5, "special": false},
                                  "generated_text": null, "details": null})"));
  EXPECT_EQ(events[1], Parsed(R"({"index": 2, "token": {"id": 9, "text": " you", "logprob": -0.25, "special": false},
      "generated_text": "Hi you",
      "details": {"finish_reason": "length", "generated_tokens": 5, "seed": 42, "input_length": 7}})"));
}

TEST(Tgi, ErrorsSayOfWhatKindTheyAre) {
  const net::Response wrong = Refuse({ErrorCode::kInvalidArgument, "parameters.top_p: no"});
  EXPECT_EQ(wrong.status, net::Status::kUnprocessableContent);
  EXPECT_EQ(std::get<std::string>(wrong.body), R"({"error":"parameters.top_p: no","error_type":"validation"})");
  EXPECT_EQ(Refuse({ErrorCode::kUnavailable, ""}).status, net::Status::kTooManyRequests);
  EXPECT_EQ(At(ErrorBody({ErrorCode::kCorrupt, ""}), "error_type"), "generation");
}

TEST(Tgi, TasksThatAreNotHereAreNamed) {
  EXPECT_TRUE(CheckTask("text-generation"));
  EXPECT_TRUE(CheckTask(""));
  const auto refused = CheckTask("text-to-image");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnimplemented);
  EXPECT_NE(refused.error().message.find("text-to-image"), std::string::npos);
}

TEST(Tgi, InfoAndTokensHaveTheirShape) {
  EXPECT_EQ(At(InfoBody({.model = "m", .context_length = 10}), "max_input_tokens"), 9);
  const TextToken token{5, "Hi", 0, 2};
  EXPECT_EQ(json::Serialize(TokenizeBody({&token, 1})), R"([{"id":5,"text":"Hi","start":0,"stop":2}])");
  EXPECT_FALSE(ParseTokenize(Body(R"({"inputs": "a", "add_special_tokens": false})"))->add_special_tokens);
}

}  // namespace
}  // namespace bothy::api::tgi
