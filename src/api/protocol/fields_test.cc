#include "api/protocol/fields.h"

#include <gtest/gtest.h>

#include <cmath>

#include "api/protocol/forms.h"
#include "api/protocol/request_parts.h"
#include "api/protocol/testing.h"

namespace bothy::api {
namespace {

TEST(Fields, TypesAndLimitsAreCheckedAndNamed) {
  const json::object body =
      Body(R"({"n": 3, "x": 0.5, "s": "a", "b": true, "l": ["a", 1], "big": 1e300, "none": null})");
  const Fields fields(body, "options");
  EXPECT_EQ(*fields.Int("n", 1, 3), 3);
  EXPECT_EQ(fields.Int("n", 1, 2).error().message, "options.n: expected an integer from 1 to 2, found 3");
  EXPECT_EQ(RefusedField(fields.Int("x", 0, 1)), "options.x");
  EXPECT_EQ(RefusedField(fields.Int("big", 0, 1)), "options.big");
  EXPECT_EQ(RefusedField(fields.Int("s", INT64_MIN, INT64_MAX)), "options.s");
  EXPECT_EQ(*fields.Number("x", 0, 0.5), 0.5);
  EXPECT_EQ(fields.Number("x", 0.6, 1).error().message, "options.x: expected a number from 0.6 to 1, found 0.5");
  EXPECT_FALSE(fields.Bool("s"));
  EXPECT_FALSE(fields.String("b"));
  EXPECT_FALSE(fields.Strings("l", 5));
  EXPECT_EQ(*fields.String("none"), std::nullopt);
  EXPECT_EQ(RefusedField(fields.NeedString("none")), "options.none");
  EXPECT_TRUE(fields.List("l", 2));
  EXPECT_FALSE(fields.List("l", 1));
}

TEST(Fields, WhatMeansNothingIsNotRefused) {
  const json::object body = Body(R"({"a": false, "b": "", "c": [], "d": {}, "e": null, "f": true})");
  const Fields fields(body);
  for (const std::string_view key : {"a", "b", "c", "d", "e", "g"}) EXPECT_TRUE(fields.Refuse(key, "no")) << key;
  EXPECT_EQ(fields.Refuse("f", "no").error().message, "f: no");
  EXPECT_EQ(fields.Refuse("f", "no").error().code, ErrorCode::kUnimplemented);
}

TEST(Fields, ALongValueIsNotRepeatedInAnError) {
  const json::object body{{"prompt", std::string(1000, 'x')}};
  EXPECT_EQ(Fields(body).Int("prompt", 0, 1).error().message, "prompt: expected an integer from 0 to 1, found a text");
}

TEST(Fields, OnlyAPathAtTheBeginningOfAMessageIsAField) {
  EXPECT_EQ(FieldOf("messages[2].tool_calls[0].id: is missing"), "messages[2].tool_calls[0].id");
  EXPECT_EQ(FieldOf("the model is not there: ada/demo"), "");
  EXPECT_EQ(FieldOf("no colon"), "");
}

TEST(Fields, ABodyThatIsNoObjectOrHasTooManyValuesIsRefused) {
  for (const std::string_view body : {"", "[]", "{", "{\"a\": \"\xff\"}", "null"}) {
    const auto parsed = ParseRequest(body);
    ASSERT_FALSE(parsed) << body;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument) << body;
  }
  std::string many = "{\"a\": [0";
  for (size_t i = 0; i < kMaxRequestValues; i++) many += ",0";
  const auto parsed = ParseRequest(many + "]}");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kResourceExhausted);
}

TEST(RequestParts, ANameEndsAtItsLimit) {
  const auto read = [](const std::string& name) {
    const json::object body{{"name", name}};
    return ReadFunctionName(Fields(body), "name").has_value();
  };
  EXPECT_TRUE(read(std::string(kMaxNameBytes, 'a')));
  EXPECT_FALSE(read(std::string(kMaxNameBytes + 1, 'a')));
  EXPECT_TRUE(read("mcp__files-read.v2"));
  EXPECT_FALSE(read("a b"));
  EXPECT_FALSE(read(""));
}

TEST(RequestParts, ArgumentsAreAnObjectOrItsText) {
  const auto read = [](std::string_view arguments) {
    const json::object body{{"arguments", Parsed(arguments)}};
    return ReadArguments(Fields(body), "arguments").value_or("refused");
  };
  EXPECT_EQ(read(R"({"a": 1})"), R"({"a":1})");
  EXPECT_EQ(read(R"("{\"a\": 1}")"), R"({"a": 1})");
  EXPECT_EQ(read(R"("")"), "{}");
  EXPECT_EQ(read("null"), "{}");
  EXPECT_EQ(read(R"("[1]")"), "refused");
  EXPECT_EQ(read("[1]"), "refused");
}

TEST(RequestParts, PromptsAreTextsOrTokensOrSeveralOfThem) {
  const auto read = [](std::string_view prompt) {
    const json::object body{{"prompt", Parsed(prompt)}};
    const auto prompts = ReadPrompts(Fields(body), "prompt");
    return prompts ? prompts->size() : 0;
  };
  EXPECT_EQ(read(R"("a")"), 1);
  EXPECT_EQ(read(R"(["a", "b"])"), 2);
  EXPECT_EQ(read("[1, 2, 3]"), 1);
  EXPECT_EQ(read("[[1, 2], [3]]"), 2);
  for (const std::string_view wrong : {"[]", "[[]]", "[-1]", "[1, \"a\"]", "[true]", "{}", "5", "[4294967296]"}) {
    EXPECT_EQ(read(wrong), 0) << wrong;
  }
}

TEST(Forms, BytesThatAreNoTextDoNotBreakJson) {
  const json::object token = TokenLogProbs({.id = 1, .text = "\xE2\x82", .log_prob = -INFINITY});
  EXPECT_EQ(json::Serialize(token),
            "{\"token\":\"\xEF\xBF\xBD\",\"logprob\":-9.999E3,\"bytes\":[226,130],\"top_logprobs\":[]}");
}

TEST(Forms, WhatAnInternalErrorSaysIsNotTold) {
  EXPECT_EQ(AnswerMessage({ErrorCode::kInternal, "secret"}), "internal error");
  EXPECT_EQ(AnswerMessage({ErrorCode::kCorrupt, "m.gguf: offset 3"}), "m.gguf: offset 3");
  EXPECT_EQ(AnswerStatus({ErrorCode::kOutOfRange, ""}), net::Status::kBadRequest);
}

}  // namespace
}  // namespace bothy::api
