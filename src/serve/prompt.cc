#include "serve/prompt.h"

#include <algorithm>
#include <utility>

#include "serve/conversation.h"

namespace bothy::serve {
namespace {

constexpr std::string_view kProbe = "bothy-probe";

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

json::object TemplateTool(const Tool& tool) {
  json::object parameters = tool.parameters;
  if (parameters.empty()) parameters = {{"type", "object"}, {"properties", json::object()}};
  return {{"type", "function"},
          {"function", {{"name", tool.name}, {"description", tool.description}, {"parameters", parameters}}}};
}

json::value Arguments(const ToolCall& call, bool as_text) {
  if (as_text) return json::value(json::string(call.arguments));
  auto parsed = json::Parse(call.arguments, "arguments");
  return parsed ? *std::move(parsed) : json::value(json::object());
}

}  // namespace

bool MayCall(const ChatRequest& request) {
  return !request.tools.empty() && request.tool_choice.kind != ToolChoice::Kind::kNone;
}

ChatPrompt::ChatPrompt(ChatTemplate chat_template)
    : template_(std::move(chat_template)),
      tool_syntax_(FindToolSyntax(template_.source())),
      reasoning_(FindReasoningTags(template_.source())) {}

ChatPrompt ChatPrompt::Create(ChatTemplate chat_template, const jinja::RenderOptions& options) {
  ChatPrompt prompt(std::move(chat_template));
  prompt.FindTraits(options);
  return prompt;
}

// What the template makes of it; "" where it refuses.
std::string ChatPrompt::Try(json::array messages, json::array tools, const jinja::RenderOptions& options) const {
  json::object request{{"messages", std::move(messages)}, {"add_generation_prompt", true}};
  if (!tools.empty()) request["tools"] = std::move(tools);
  return template_.Render(request, options).value_or("");
}

void ChatPrompt::FindTraits(const jinja::RenderOptions& options) {
  const Message user{.role = Role::kUser, .content = {"user-text"}};
  const std::string probe(kProbe);
  const auto shows_user = [&] { return Has(Try(TemplateMessages({user}), {}, options), "user-text"); };
  if (!shows_user()) {
    traits_.parts = true;
    traits_.parts = shows_user();
  }
  const Message system{.role = Role::kSystem, .content = {probe}};
  traits_.system = Has(Try(TemplateMessages({system, user}), {}, options), probe);

  const Tool tool{.name = probe,
                  .description = "a tool",
                  .parameters = {{"type", "object"},
                                 {"properties", {{"probe_key", {{"type", "string"}, {"description", "a key"}}}}},
                                 {"required", json::array{"probe_key"}}}};
  const json::array tools{TemplateTool(tool)};
  traits_.tools = Has(Try(TemplateMessages({user}), tools, options), probe);

  const ToolCall call{.id = "call00001", .name = probe, .arguments = R"({"probe_key": "probe-value"})"};
  const Message calls{.role = Role::kAssistant, .tool_calls = {call}};
  const json::array shown_tools = traits_.tools ? tools : json::array();
  const auto shows_call = [&](bool as_text) {
    traits_.arguments_as_text = as_text;
    const std::string text = Try(TemplateMessages({user, calls}), shown_tools, options);
    // As JSON text in a JSON text it has backslashes, as Python's text of an object single quotes.
    return Has(text, "probe-value") && !Has(text, "'probe_key'") && !Has(text, "\\\"probe_key\\\"");
  };
  traits_.calls = shows_call(false) || shows_call(true);
  const Message result{.role = Role::kTool, .content = {"result-text"}, .tool_call_id = call.id, .name = probe};
  if (!traits_.calls) {
    traits_.arguments_as_text = false;
    return;
  }
  traits_.results = Has(Try(TemplateMessages({user, calls, result}), shown_tools, options), "result-text");
  ToolCall second = call;
  second.id = "call00002";
  second.arguments = R"({"probe_key": "second-value"})";
  const Message both{.role = Role::kAssistant, .tool_calls = {call, second}};
  traits_.several_calls = Has(Try(TemplateMessages({user, both}), shown_tools, options), "second-value");
}

json::array ChatPrompt::TemplateMessages(const std::vector<Message>& messages) const {
  json::array out;
  for (const Message& message : messages) {
    json::object one{{"role", RoleName(message.role)}};
    if (traits_.parts) {
      json::array parts;
      for (const std::string& text : message.content) parts.push_back(json::object{{"type", "text"}, {"text", text}});
      one["content"] = std::move(parts);
    } else {
      one["content"] = JoinContent(message);
    }
    if (!message.reasoning.empty()) one["reasoning_content"] = message.reasoning;
    if (!message.name.empty()) one["name"] = message.name;
    if (message.role == Role::kTool) one["tool_call_id"] = message.tool_call_id;
    json::array calls;
    for (const ToolCall& call : message.tool_calls) {
      json::object function{{"name", call.name}, {"arguments", Arguments(call, traits_.arguments_as_text)}};
      calls.push_back(json::object{{"type", "function"}, {"id", call.id}, {"function", std::move(function)}});
    }
    if (!calls.empty()) one["tool_calls"] = std::move(calls);
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::string> ChatPrompt::Render(const ChatRequest& request, const jinja::RenderOptions& options) const {
  std::vector<Message> messages = request.messages;
  json::object values = request.template_variables;
  if (MayCall(request)) {
    if (traits_.tools) {
      json::array tools;
      for (const Tool& tool : request.tools) tools.push_back(TemplateTool(tool));
      values["tools"] = std::move(tools);
    } else {
      AddToSystem(messages, DescribeTools(request.tools, tool_syntax_));
    }
  }
  if (!traits_.several_calls) SplitCalls(messages);
  if (!traits_.calls) WriteCalls(messages, tool_syntax_);
  if (!traits_.results) WriteResults(messages);
  if (Has(source(), "length != 9")) ShortenIds(messages);
  if (!traits_.system) FoldSystem(messages);
  if (request.think) values["enable_thinking"] = values["thinking"] = *request.think;
  if (!request.effort.empty()) values["reasoning_effort"] = request.effort;
  values[request.continue_final_message ? "continue_final_message" : "add_generation_prompt"] = true;

  values["messages"] = TemplateMessages(messages);
  auto rendered = template_.Render(values, options);
  if (rendered) return rendered;
  // Many demand that user and assistant take turns, and that the system speaks first.
  Straighten(messages);
  values["messages"] = TemplateMessages(messages);
  auto straight = template_.Render(values, options);
  return straight ? straight : rendered;
}

ConstraintSpec ChatPrompt::Constraint(const ChatRequest& request) const {
  switch (request.tool_choice.kind) {
    case ToolChoice::Kind::kRequired: return tool_syntax_.Calls(request.tools, request.parallel_tool_calls);
    case ToolChoice::Kind::kNamed: {
      const auto tool = std::ranges::find(request.tools, request.tool_choice.name, &Tool::name);
      return tool == request.tools.end() ? ConstraintSpec() : tool_syntax_.Calls({tool, tool + 1}, false);
    }
    default: return ConstraintOf(request.options.format);
  }
}

}  // namespace bothy::serve
