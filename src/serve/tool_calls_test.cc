#include "serve/tool_calls.h"

#include <gtest/gtest.h>

#include "serve/answer.h"
#include "serve/answer_reader.h"

namespace bothy::serve {
namespace {

std::vector<Tool> Tools() {
  Tool weather{.name = "get_weather"};
  weather.parameters = {
      {"type", "object"},
      {"properties",
       {{"city", {{"type", "string"}}}, {"days", {{"type", "integer"}}}, {"codes", {{"type", "array"}}}}}};
  return {weather, {.name = "now"}};
}

std::vector<ChatEvent::What> Events(const ToolSyntax& syntax, std::string_view text, size_t size, bool several = true) {
  ToolCallReader reader(syntax, Tools(), several, "id");
  std::vector<ChatEvent::What> events;
  for (size_t i = 0; i < text.size(); i += size) reader.Feed(text.substr(i, size), events);
  reader.Finish(events);
  return events;
}

Choice Read(const ToolSyntax& syntax, std::string_view text, size_t size = 1, bool several = true) {
  Answer answer;
  answer.choices.emplace_back();
  for (ChatEvent::What& what : Events(syntax, text, size, several)) answer.Add({0, std::move(what)});
  return answer.choices[0];
}

ToolSyntax Of(std::string_view marks) { return FindToolSyntax(marks); }

const ToolCall kParis{"id0", "get_weather", R"({"city": "Paris"})"};

// What a family's model writes, and how its template is known.
struct Case {
  std::string_view marks, text;
};
constexpr Case kOneCall[] = {
    {"<tool_call>", "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>"},
    {"<tool_call>", "<tool_call>{\"arguments\": {\"city\": \"Paris\"}, \"name\": \"get_weather\"}</tool_call>"},
    {"<tool_call>", R"(<tool_call>{"name": "get_weather", "arguments": "{\"city\": \"Paris\"}"}</tool_call>)"},
    {"<|python_tag|>", R"({"name": "get_weather", "parameters": {"city": "Paris"}})"},
    {"<|python_tag|>", R"(<|python_tag|>{"type": "function", "name": "get_weather", "parameters": {"city": "Paris"}})"},
    {"<function=", R"(<function=get_weather>{"city": "Paris"}</function>)"},
    {"[TOOL_CALLS]", R"([TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Paris"}, "id": "000000001"}])"},
    {"[TOOL_CALLS]", R"([TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Paris"}}])"},
    {"[TOOL_CALLS][ARGS]", R"([TOOL_CALLS]get_weather[ARGS]{"city": "Paris"})"},
    {"[TOOL_CALLS][ARGS]", R"([TOOL_CALLS]get_weather[CALL_ID]000000001[ARGS]{"city": "Paris"})"},
    {"[TOOL_CALLS][ARGS]", R"([TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Paris"}}])"},
    {"<｜tool▁call▁begin｜>",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\": "
     "\"Paris\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"},
    {"<｜tool▁call▁begin｜>```json",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{\"city\": "
     "\"Paris\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"},
    {">>>all", "get_weather\n{\"city\": \"Paris\"}"},
    {"<|tool_call|>", R"(<|tool_call|>[{"name": "get_weather", "arguments": {"city": "Paris"}}])"},
    {"<|tool|>", R"(<|tool_call|>[{"name": "get_weather", "arguments": {"city": "Paris"}}]<|/tool_call|>)"},
    {"<|START_ACTION|>",
     "<|START_ACTION|>[\n    {\"tool_call_id\": \"0\", \"tool_name\": \"get_weather\", \"parameters\": {\"city\": "
     "\"Paris\"}}\n]<|END_ACTION|>"},
    {"directly-answer Action:",
     "Action:\n```json\n[\n    {\n        \"tool_name\": \"get_weather\",\n        \"parameters\": {\"city\": "
     "\"Paris\"}\n    }\n]```\n"},
    {"<parameter=<function=",
     "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>\n</tool_call>"},
    {"", R"({"name": "get_weather", "arguments": {"city": "Paris"}})"},
    {"", "```json\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n```"},
};

TEST(ToolCallReader, ReadsTheCallOfEachFamilyHoweverTheTextIsCut) {
  for (const auto& [marks, text] : kOneCall) {
    for (const size_t size : {size_t{1}, size_t{3}, size_t{17}, text.size()}) {
      const Choice choice = Read(Of(marks), text, size);
      EXPECT_EQ(choice.tool_calls, std::vector{kParis}) << text << " " << size;
      EXPECT_EQ(choice.text, "") << text;
    }
  }
}

TEST(ToolCallReader, ReadsBackWhatEachFamilyWrites) {
  const std::vector<ToolCall> calls = {kParis, {"id1", "now", "{}"}};
  for (const auto& [marks, text] : kOneCall) {
    const ToolSyntax syntax = Of(marks);
    const Choice choice = Read(syntax, syntax.Write(calls), 5);
    EXPECT_EQ(choice.tool_calls, calls) << syntax.Write(calls);
    EXPECT_EQ(choice.text, "") << syntax.Write(calls);
  }
}

TEST(ToolCallReader, TextAroundCallsIsTextWithoutTheBlanksBetween) {
  const Choice choice = Read(Of("<tool_call>"),
                             "  I look < for it.\n\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>\n"
                             "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>\nDone. ");
  EXPECT_EQ(choice.text, "  I look < for it.\nDone. ");
  EXPECT_EQ(choice.tool_calls.size(), 2);
}

TEST(ToolCallReader, ArgumentsGoOnAsTheyCome) {
  ToolCallReader reader(Of("<tool_call>"), Tools(), true, "id");
  std::vector<ChatEvent::What> events;
  reader.Feed("<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Pa", events);
  ASSERT_EQ(events.size(), 2);
  EXPECT_EQ(std::get<ToolCallStart>(events[0]).name, "get_weather");
  EXPECT_EQ(std::get<ToolCallArguments>(events[1]).text, "{\"city\": \"Pa");
  events.clear();
  reader.Feed("ris\"}", events);
  ASSERT_EQ(events.size(), 2);
  EXPECT_EQ(std::get<ToolCallArguments>(events[0]).text, "ris\"}");
  EXPECT_TRUE(std::holds_alternative<ToolCallEnd>(events[1]));
}

TEST(ToolCallReader, WhatIsNoCallComesOutAsItWas) {
  const std::pair<std::string_view, std::string_view> kNone[] = {
      {"<tool_call>", "<tool_call> I would call something.</tool_call> <tool"},
      {"<tool_call>", "<tool_call>\n{\"name\": \"unknown\", \"arguments\": {}}\n</tool_call>"},
      {"<tool_call>", "<tool_call>{\"name\": \"now\", 5}"},
      {"<tool_call>", "<tool_call>{\"arguments\": {}}"},
      {"<tool_call>", "<tool_call>{\"name\": \"now\", \"arguments\": [1]}"},
      {"<|python_tag|>", R"({"answer": 42, "name": "now"})"},
      {"<|python_tag|>", R"(Use {"name": "now", "parameters": {}} for it.)"},
      {"<|python_tag|>", "<|python_tag|>brave_search.call(query=\"x\")"},
      {"[TOOL_CALLS]", "[TOOL_CALLS][]"},
      {"[TOOL_CALLS]", "[TOOL] [1, 2]"},
      {"[TOOL_CALLS][ARGS]", "[TOOL_CALLS]unknown[ARGS]{\"a\": 1}"},
      {"<parameter=<function=", "<tool_call>\n<function=unknown>\n"},
      {"", "```json\n{\"a\": 1}\n```"},
      {"", " {} "},
  };
  for (const auto& [marks, text] : kNone) {
    for (const size_t size : {size_t{1}, text.size()}) {
      const Choice choice = Read(Of(marks), text, size);
      EXPECT_EQ(choice.text, text);
      EXPECT_TRUE(choice.tool_calls.empty()) << text;
    }
  }
}

TEST(ToolCallReader, AHeaderEndsAtItsLimit) {
  const std::string text = "<tool_call>" + std::string(2 * ToolCallReader::kMaxHeader, 'x');
  ToolCallReader reader(Of("<tool_call>"), Tools(), true, "id");
  std::vector<ChatEvent::What> events;
  reader.Feed(text.substr(0, 11 + ToolCallReader::kMaxHeader), events);
  EXPECT_TRUE(events.empty());
  reader.Feed("x", events);
  EXPECT_EQ(std::get<TextDelta>(events.at(0)).text.size(), 11 + ToolCallReader::kMaxHeader + 1);
}

TEST(ToolCallReader, ACallThatGoesWrongOrIsCutOffEnds) {
  for (const std::string_view text : {"<tool_call>{\"name\": \"now\", \"arguments\": {\"a\": tru",
                                      "<tool_call>{\"name\": \"now\", \"arguments\": {\"a\": trux"}) {
    const auto events = Events(Of("<tool_call>"), text, 1);
    const auto ends =
        std::ranges::count_if(events, [](const auto& e) { return std::holds_alternative<ToolCallEnd>(e); });
    EXPECT_EQ(ends, 1);
    EXPECT_EQ(Read(Of("<tool_call>"), text).tool_calls.at(0).arguments, "{\"a\": tru");
  }
}

TEST(ToolCallReader, ACallBehindOneThatIsNoneIsFound) {
  const Choice choice =
      Read(Of("<tool_call>"), "<tool_call>first <tool_call>{\"name\": \"now\", \"arguments\": {}}</tool_call>");
  EXPECT_EQ(choice.text, "<tool_call>first ");
  EXPECT_EQ(choice.tool_calls.size(), 1);
}

TEST(ToolCallReader, OnlyTheFirstOfSeveralIsTakenWhereOneIsWanted) {
  const Choice choice =
      Read(Of("[TOOL_CALLS]"),
           R"([TOOL_CALLS][{"name": "now", "arguments": {}}, {"name": "now", "arguments": {}}] text)", 1, false);
  EXPECT_EQ(choice.tool_calls.size(), 1);
  EXPECT_EQ(choice.text, "");
}

TEST(ToolCallReader, ValuesInTagsGetTheTypeThatTheSchemaSays) {
  const Choice choice = Read(Of("<parameter=<function="),
                             "<tool_call>\n<function=get_weather>\n<parameter=city>\n12\n\"x\"\n</parameter>\n"
                             "<parameter=days>\n3\n</parameter>\n<parameter=codes>[1, \"a\"]</parameter>"
                             "<parameter=other>5</parameter></function></tool_call>");
  ASSERT_EQ(choice.tool_calls.size(), 1);
  EXPECT_EQ(choice.tool_calls[0].arguments, R"({"city": "12\n\"x\"", "days": 3, "codes": [1, "a"], "other": "5"})");
}

TEST(ToolCallReader, AParametersNameEndsAtItsLimit) {
  const auto read = [](size_t bytes) {
    const std::string call = "<function=now><parameter=" + std::string(bytes, 'k') + ">v</parameter></function>";
    return Read(Of("<parameter=<function="), call).text;
  };
  EXPECT_EQ(read(XmlCall::kMaxKey), "");
  EXPECT_NE(read(XmlCall::kMaxKey + 1), "");
}

TEST(ToolCallReader, ARecipientForTextIsNotPartOfIt) {
  const Choice choice = Read(Of(">>>all"), "all\nHello {you}.\n>>>now\n{}");
  EXPECT_EQ(choice.text, "Hello {you}.");
  EXPECT_EQ(choice.tool_calls.size(), 1);
}

TEST(AnswerReader, TokensComeWithTheFirstEventOrAnEmptyText) {
  AnswerReader reader(3, ReasoningReader({}, ""), ToolCallReader(Of("<tool_call>"), Tools(), true, "id"));
  auto events = reader.Feed("<tool", {{.id = 1}});
  ASSERT_EQ(events.size(), 1);
  EXPECT_EQ(events[0].choice, 3);
  EXPECT_EQ(std::get<TextDelta>(events[0].what).text, "");
  EXPECT_EQ(events[0].tokens.size(), 1);
  events = reader.Feed("s>", {{.id = 2}});
  ASSERT_EQ(events.size(), 1);
  EXPECT_EQ(std::get<TextDelta>(events[0].what).text, "<tools>");
  EXPECT_EQ(events[0].tokens.at(0).id, 2);
}

TEST(ToolSyntax, AConstraintWritesTheCallsThatItsReaderReads) {
  const std::vector<Tool> tools = Tools();
  for (const auto& [marks, text] : kOneCall) {
    const ToolSyntax syntax = Of(marks);
    const ConstraintSpec spec = syntax.Calls(tools, true);
    ASSERT_EQ(spec.calls.size(), 2);
    std::string written = spec.begin;
    for (const ConstraintPart& part : spec.calls[0]) {
      const std::string* literal = std::get_if<std::string>(&part);
      written += literal != nullptr ? *literal : kParis.arguments;
    }
    EXPECT_EQ(Read(syntax, written + spec.end).tool_calls, std::vector{kParis}) << written;
  }
}

}  // namespace
}  // namespace bothy::serve
