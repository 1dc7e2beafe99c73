#include <gtest/gtest.h>

#include "api/ollama/chat.h"
#include "api/ollama/format.h"
#include "api/ollama/models.h"
#include "api/protocol/testing.h"

namespace bothy::api::ollama {
namespace {

using serve::ChatRequest;
using serve::Role;

std::vector<json::value> Lines(std::string_view text) {
  std::vector<json::value> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(Parsed(text.substr(0, end)));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return lines;
}

TEST(OllamaChat, ARequestIsReadWhole) {
  const auto exchange = ParseChat(Body(R"({
    "model": "m", "format": {"type": "object"}, "keep_alive": "1h30m", "think": "high",
    "options": {"num_predict": 7, "temperature": 0, "top_k": 3, "min_p": 0.1, "repeat_penalty": 1.1, "repeat_last_n": 64,
                "seed": 5, "stop": "END", "num_ctx": 4096, "num_thread": 8, "typical_p": 0},
    "messages": [
      {"role": "user", "content": "Weather?"},
      {"role": "assistant", "content": "", "tool_calls": [
        {"function": {"name": "f", "arguments": {"a": 1}}}, {"function": {"name": "g", "arguments": {}}}]},
      {"role": "tool", "tool_name": "g", "content": "2"},
      {"role": "tool", "content": "1"}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]})"));
  ASSERT_TRUE(exchange) << exchange.error().message;
  const auto& request = std::get<ChatRequest>(exchange->request);
  EXPECT_EQ(json::value(request.options.sampling),
            Parsed(R"({"temperature": 0.0, "min_p": 0.1, "top_k": 3, "repetition_penalty": 1.1, "seed": 5,
                       "max_new_tokens": 7})"));
  EXPECT_TRUE(request.options.stream);
  EXPECT_EQ(request.options.keep_loaded_seconds, 5400);
  EXPECT_EQ(request.options.context_length, 4096);
  EXPECT_EQ(request.options.stop, std::vector<std::string>{"END"});
  EXPECT_EQ(request.options.format.kind, serve::ResponseFormat::Kind::kJsonSchema);
  EXPECT_EQ(request.think, true);
  EXPECT_EQ(request.effort, "high");
  EXPECT_EQ(request.messages[2].tool_call_id, request.messages[1].tool_calls[1].id);
  EXPECT_EQ(request.messages[3].tool_call_id, request.messages[1].tool_calls[0].id);
  EXPECT_EQ(request.messages[3].name, "f");
}

TEST(OllamaChat, DurationsAreAsGoWritesThem) {
  const auto seconds = [](std::string_view keep) {
    const auto exchange = ParseChat(Body(R"({"model": "m", "keep_alive": )" + std::string(keep) + "}"));
    return exchange ? exchange->options().keep_loaded_seconds : std::optional<double>(-12345);
  };
  EXPECT_EQ(seconds(R"("5m")"), 300);
  EXPECT_EQ(seconds(R"("1.5h")"), 5400);
  EXPECT_EQ(seconds(R"("300ms")"), 0.3);
  EXPECT_EQ(seconds(R"("-1")"), -1);
  EXPECT_EQ(seconds("-1"), -1);
  EXPECT_EQ(seconds("0"), 0);
  EXPECT_EQ(seconds(R"("")"), std::nullopt);
  for (const std::string_view wrong : {R"("soon")", R"("5 m")", R"("m")", R"("-")", "true", R"("1e400h")"}) {
    EXPECT_EQ(seconds(wrong), -12345) << wrong;
  }
}

TEST(OllamaChat, WhatIsWrongIsNamed) {
  const auto refused = [](std::string_view more) {
    return RefusedField(ParseChat(Body(R"({"model": "m", )" + std::string(more) + "}")));
  };
  EXPECT_EQ(refused(R"("options": {"top_p": 2})"), "options.top_p");
  EXPECT_EQ(refused(R"("options": {"mirostat": 1})"), "options.mirostat");
  EXPECT_EQ(refused(R"("format": "xml")"), "format");
  EXPECT_EQ(refused(R"("think": "much")"), "think");
  EXPECT_EQ(refused(R"("messages": [{"role": "user", "content": "a", "images": ["aGk="]}])"), "messages[0].images");
  EXPECT_EQ(RefusedField(ParseChat(Body("{}"))), "model");
}

TEST(OllamaChat, WithoutMessagesTheModelIsOnlyLoaded) {
  const auto exchange = ParseChat(Body(R"({"model": "m"})"));
  ASSERT_TRUE(exchange && exchange->load_only);
  EXPECT_EQ(At(Whole(*exchange->format, {}), "done_reason"), "load");
  const auto unload = ParseGenerate(Body(R"({"model": "m", "keep_alive": 0})"));
  ASSERT_TRUE(unload && unload->load_only);
  EXPECT_EQ(At(Whole(*unload->format, {}), "done_reason"), "unload");
}

TEST(OllamaChat, AStreamIsLinesAndCallsComeWhole) {
  Format format(Format::Kind::kChat, {});
  const auto lines = Lines(Stream(format, Everything()));
  ASSERT_EQ(lines.size(), 6);
  EXPECT_EQ(At(lines[0], "message.thinking"), "Hm");
  EXPECT_EQ(At(lines[2], "message.content"), "I ");
  EXPECT_EQ(At(lines[4], "message.tool_calls.0.function.arguments.city"), "Paris");
  EXPECT_EQ(At(lines[4], "done"), false);
  EXPECT_EQ(At(lines[4], "created_at"), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(lines[5], Parsed(R"({"model": "ada/demo", "created_at": "2023-11-14T22:13:20.000Z",
    "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop", "total_duration": 6,
    "load_duration": 1, "prompt_eval_count": 7, "prompt_eval_duration": 2, "eval_count": 5, "eval_duration": 3})"));
}

TEST(OllamaGenerate, APromptIsAMessageUnlessItIsRaw) {
  const auto exchange = ParseGenerate(Body(R"({"model": "m", "prompt": "a", "system": "s", "stream": false})"));
  ASSERT_TRUE(exchange);
  EXPECT_EQ(std::get<ChatRequest>(exchange->request).messages.size(), 2);
  EXPECT_FALSE(exchange->options().stream);
  const auto raw = ParseGenerate(Body(R"({"model": "m", "prompt": "a", "raw": true})"));
  ASSERT_TRUE(raw);
  EXPECT_EQ(std::get<std::string>(std::get<serve::CompletionRequest>(raw->request).prompts[0]), "a");
  EXPECT_EQ(RefusedField(ParseGenerate(Body(R"({"model": "m", "prompt": "a", "template": "{{ .Prompt }}"})"))),
            "template");
  const json::value body = Whole(*exchange->format, Words({serve::StopReason::kLength, ""}));
  EXPECT_EQ(At(body, "response"), "Hi you");
  EXPECT_EQ(At(body, "done_reason"), "length");
}

TEST(OllamaModels, ListsHaveWhatEditorsAskFor) {
  const ModelEntry entry{"m:q4", 1700000000, 5, "abc", {"gguf", "llama", "1.1B", "Q4_0"}};
  const json::value tags = TagsBody({&entry, 1});
  EXPECT_EQ(At(tags, "models.0.name"), "m:q4");
  EXPECT_EQ(At(tags, "models.0.details.quantization_level"), "Q4_0");
  const LoadedModel loaded{entry, 1700000300, 0, 2048};
  EXPECT_EQ(At(LoadedBody({&loaded, 1}), "models.0.expires_at"), "2023-11-14T22:18:20.000Z");
  ModelCard card{.parameters = {{"temperature", 0.7}}, .metadata = {{"general.architecture", "llama"}}};
  card.calls_tools = true;
  const json::value show = ShowBody(card);
  EXPECT_EQ(At(show, "capabilities"), (json::array{"completion", "tools"}));
  EXPECT_EQ(At(show, "parameters"), "temperature                    0.7\n");
  EXPECT_EQ(show.at("model_info").at("general.architecture"), "llama");
  EXPECT_EQ(*ParseShow(Body(R"({"name": "m"})")), "m");
}

TEST(OllamaEmbed, TheOldRouteHasOneVector) {
  const auto many = ParseEmbed(Body(R"({"model": "m", "input": ["a", "b"], "truncate": false})"));
  ASSERT_TRUE(many);
  EXPECT_FALSE(many->request.truncate);
  EXPECT_EQ(At(EmbeddingBody(*many, "m", {{1}, {2}}, ASummary()), "embeddings.1.0"), 2.0);
  const auto one = ParseEmbeddings(Body(R"({"model": "m", "prompt": "a"})"));
  ASSERT_TRUE(one);
  EXPECT_EQ(json::Serialize(EmbeddingBody(*one, "m", {{1}}, ASummary())), R"({"embedding":[1E0]})");
}

}  // namespace
}  // namespace bothy::api::ollama
