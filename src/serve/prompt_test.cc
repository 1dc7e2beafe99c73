#include "serve/prompt.h"

#include <gtest/gtest.h>

#include <map>

#include "base/testing.h"
#include "codec/jinja/testing.h"
#include "serve/answer.h"
#include "serve/answer_reader.h"
#include "serve/conversation.h"

namespace bothy::serve {
namespace {

// All templates of a golden folder by name.
std::map<std::string, ChatPrompt> Templates(const std::filesystem::path& folder) {
  std::map<std::string, ChatPrompt> out;
  const auto index = json::Parse(ReadTestFile(folder / "templates.json"), "templates.json");
  if (!index) return out;
  for (const auto& [name, entry] : index->as_object()) {
    std::vector<std::pair<std::string, std::string>> tokens;
    for (const auto& [token, text] : entry.at("special_tokens").as_object())
      tokens.emplace_back(token, text.as_string());
    const std::string source = ReadTestFile(folder / std::string(entry.at("file").as_string()));
    auto chat_template = ChatTemplate::Create(source, std::string(name), std::move(tokens));
    if (chat_template) {
      out.emplace(name, ChatPrompt::Create(*std::move(chat_template), jinja::AtGoldenTime()));
    } else {
      ADD_FAILURE() << chat_template.error().message;
    }
  }
  return out;
}

ChatRequest Weather() {
  ChatRequest request;
  request.messages = {{.role = Role::kSystem, .content = {"Be brief."}},
                      {.role = Role::kUser, .content = {"Weather in Paris?"}}};
  Tool tool{.name = "get_weather", .description = "Current weather"};
  tool.parameters = {{"type", "object"},
                     {"properties", {{"city", {{"type", "string"}, {"description", "which"}}}}},
                     {"required", json::array{"city"}}};
  request.tools = {tool};
  return request;
}

const ToolCall kCall{"call_abcdefghij", "get_weather", R"({"city":"Paris"})"};

std::string Render(const ChatPrompt& prompt, const ChatRequest& request) {
  auto rendered = prompt.Render(request, jinja::AtGoldenTime());
  if (!rendered) ADD_FAILURE() << rendered.error().message;
  return rendered.value_or("");
}

// A call that is rendered as part of the conversation is what a model of that family would write. Reading it must give
// the call back.
void CheckRoundTrips(const std::map<std::string, ChatPrompt>& templates) {
  for (const auto& [name, prompt] : templates) {
    SCOPED_TRACE(name);
    ChatRequest request = Weather();
    const std::string before = Render(prompt, request);
    request.messages.push_back({.role = Role::kAssistant, .tool_calls = {kCall}});
    const std::string with = Render(prompt, request);
    size_t common = 0;
    while (common < std::min(before.size(), with.size()) && before[common] == with[common]) common++;
    // Some begin an answer with <think> but show none in a conversation.
    const bool continues = common == before.size();
    if (!continues && with[common - 1] == '<') common--;
    ToolCallReader reader(prompt.tool_syntax(), request.tools, true, "");
    AnswerReader answers(0, ReasoningReader(prompt.reasoning(), continues ? before : ""), std::move(reader));
    const std::string said = with.substr(common);
    Answer answer;
    for (const ChatEvent& event : answers.Feed(said)) answer.Add(event);
    for (const ChatEvent& event : answers.Finish({})) answer.Add(event);
    const Choice& choice = answer.choices.at(0);
    ASSERT_EQ(choice.tool_calls.size(), 1) << said;
    EXPECT_EQ(choice.tool_calls[0].name, "get_weather");
    const auto arguments = json::Parse(choice.tool_calls[0].arguments, "arguments");
    ASSERT_TRUE(arguments) << choice.tool_calls[0].arguments;
    EXPECT_EQ(*arguments, json::value({{"city", "Paris"}}));
    EXPECT_EQ(choice.end.reason, StopReason::kToolCalls);
  }
}

// Whatever the template knows, the model is told everything.
void CheckNothingIsLost(const std::map<std::string, ChatPrompt>& templates) {
  for (const auto& [name, prompt] : templates) {
    SCOPED_TRACE(name);
    ChatRequest request = Weather();
    request.messages.push_back(
        {.role = Role::kAssistant, .tool_calls = {kCall, {"call_second", "get_weather", R"({"city":"Rome"})"}}});
    request.messages.push_back(
        {.role = Role::kTool, .content = {"21 degrees"}, .tool_call_id = kCall.id, .name = "get_weather"});
    request.messages.push_back(
        {.role = Role::kTool, .content = {"25 degrees"}, .tool_call_id = "call_second", .name = "get_weather"});
    request.messages.push_back({.role = Role::kUser, .content = {"And", "now?"}});
    const std::string text = Render(prompt, request);
    for (const std::string_view part :
         {"Be brief.", "Weather in Paris?", "get_weather", "Paris", "Rome", "21 degrees", "25 degrees", "And\nnow?"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " is not in " << text;
    }
  }
}

TEST(ChatPrompt, CallsAreReadBackFromWhatTheCommittedTemplatesShow) {
  CheckRoundTrips(Templates(Golden() / "chat-templates"));
}

TEST(ChatPrompt, CallsAreReadBackFromWhatAllTemplatesShow) {
  BOTHY_NEEDS_TEST_DATA();
  CheckRoundTrips(Templates(*TestData() / "golden" / "chat-templates"));
}

TEST(ChatPrompt, TheCommittedTemplatesLoseNothingOfAConversation) {
  CheckNothingIsLost(Templates(Golden() / "chat-templates"));
}

TEST(ChatPrompt, NoTemplateLosesAnythingOfAConversation) {
  BOTHY_NEEDS_TEST_DATA();
  CheckNothingIsLost(Templates(*TestData() / "golden" / "chat-templates"));
}

ChatPrompt Of(std::string_view source) {
  auto chat_template = ChatTemplate::Create(source, "test", {});
  EXPECT_TRUE(chat_template);
  return ChatPrompt::Create(*std::move(chat_template));
}

TEST(ChatPrompt, AConversationThatATemplateTakesIsGivenAsItIs) {
  const ChatPrompt prompt =
      Of("{% for m in messages %}[{{ m.role }}:{{ m.content }}]{% endfor %}{{ enable_thinking }}");
  ChatRequest request;
  request.messages = {{.role = Role::kUser, .content = {"a"}}, {.role = Role::kUser, .content = {"b"}}};
  request.think = false;
  EXPECT_EQ(Render(prompt, request), "[user:a][user:b]False");
}

TEST(ChatPrompt, WhatTheSystemSaysGoesToTheUserWhereTheTemplateHasNoSystem) {
  const ChatPrompt prompt =
      Of("{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}[{{ m.role }}:{{ "
         "m.content "
         "}}]{% endfor %}");
  ChatRequest request;
  request.messages = {{.role = Role::kSystem, .content = {"s"}}, {.role = Role::kUser, .content = {"u"}}};
  EXPECT_EQ(Render(prompt, request), "[user:s\n\nu]");
}

TEST(ChatPrompt, MessagesOfOneRoleAreJoinedWhereTheTemplateWantsTurns) {
  const ChatPrompt prompt =
      Of("{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns') }}{% "
         "endif "
         "%}[{{ m.content }}]{% endfor %}");
  ChatRequest request;
  request.messages = {{.role = Role::kUser, .content = {"a"}},
                      {.role = Role::kUser, .content = {"b"}},
                      {.role = Role::kAssistant, .content = {"c"}}};
  EXPECT_EQ(Render(prompt, request), "[a\n\nb][c]");
}

TEST(ChatPrompt, ATemplatesRefusalIsTold) {
  const ChatPrompt prompt = Of("{{ raise_exception('never') }}");
  ChatRequest request;
  request.messages = {{.content = {"a"}}};
  const auto rendered = prompt.Render(request);
  ASSERT_FALSE(rendered);
  EXPECT_EQ(rendered.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(rendered.error().message.find("never"), std::string::npos);
}

TEST(ChatPrompt, ToolsAreNotShownWhereNoneMayBeCalled) {
  const ChatPrompt prompt = Of("{{ tools | tojson if tools }}{{ messages[-1].content }}");
  ChatRequest request = Weather();
  EXPECT_NE(Render(prompt, request).find("get_weather"), std::string::npos);
  request.tool_choice.kind = ToolChoice::Kind::kNone;
  EXPECT_EQ(Render(prompt, request), "Be brief.\n\nWeather in Paris?");
}

TEST(ChatPrompt, AnswersAreConstrainedToTheCallsThatAreDemanded) {
  const ChatPrompt prompt = Of("<tool_call>");
  ChatRequest request = Weather();
  EXPECT_EQ(prompt.Constraint(request).kind, ConstraintSpec::Kind::kNone);
  request.tools.push_back({.name = "now"});
  request.tool_choice.kind = ToolChoice::Kind::kRequired;
  EXPECT_EQ(prompt.Constraint(request).calls.size(), 2);
  EXPECT_TRUE(prompt.Constraint(request).several);
  request.tool_choice = {ToolChoice::Kind::kNamed, "now"};
  EXPECT_EQ(prompt.Constraint(request).calls.size(), 1);
  EXPECT_FALSE(prompt.Constraint(request).several);
}

}  // namespace
}  // namespace bothy::serve
