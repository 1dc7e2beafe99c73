#include "serve/tool_syntax.h"

#include <fmt/format.h>

namespace bothy::serve {
namespace {

ToolSyntax Hermes() {
  return {.family = "hermes",
          .open = {"<tool_call>"},
          .close = {"</tool_call>"},
          .before = "<tool_call>\n",
          .after = "\n</tool_call>",
          .between = "\n"};
}

// It was trained on the XML form; JSON is what a grammar can be made of, and is read as well.
ToolSyntax QwenCoder() {
  ToolSyntax syntax = Hermes();
  syntax.family = "qwen-coder";
  syntax.open = {"<tool_call>", "<function="};
  syntax.xml = true;
  return syntax;
}

ToolSyntax Llama() {
  return {.family = "llama",
          .open = {"<|python_tag|>"},
          .close = {";", "<|python_tag|>"},
          .bare = true,
          .between = "; ",
          .arguments_key = "parameters"};
}

ToolSyntax LlamaFunction() {
  return {.family = "llama-function",
          .open = {"<function="},
          .close = {"</function>"},
          .named = true,
          .before = "<function=",
          .name_after = ">",
          .after = "</function>",
          .between = "\n"};
}

ToolSyntax MistralList() {
  return {.family = "mistral", .open = {"[TOOL_CALLS]"}, .first = "[TOOL_CALLS][", .between = ", ", .last = "]"};
}

ToolSyntax MistralNamed() {
  return {.family = "mistral-named",
          .open = {"[TOOL_CALLS]"},
          .named = true,
          .before = "[TOOL_CALLS]",
          .name_after = "[ARGS]"};
}

ToolSyntax DeepSeek(bool fenced) {
  return {.family = "deepseek",
          .open = {"<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>"},
          .close = {"```", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"},
          .named = true,
          .first = "<｜tool▁calls▁begin｜>",
          .before = fenced ? "<｜tool▁call▁begin｜>function<｜tool▁sep｜>" : "<｜tool▁call▁begin｜>",
          .name_after = fenced ? "\n```json\n" : "<｜tool▁sep｜>",
          .after = fenced ? "\n```<｜tool▁call▁end｜>" : "<｜tool▁call▁end｜>",
          .between = fenced ? "\n" : "",
          .last = "<｜tool▁calls▁end｜>"};
}

ToolSyntax Functionary() {
  return {.family = "functionary",
          .open = {">>>"},
          .begins_open = true,
          .text_recipient = "all",
          .named = true,
          .name_after = "\n",
          .between = ">>>"};
}

ToolSyntax Granite() {
  return {.family = "granite",
          .open = {"<|tool_call|>"},
          .close = {"<|/tool_call|>"},
          .first = "<|tool_call|>[",
          .between = ", ",
          .last = "]"};
}

ToolSyntax Phi() {
  ToolSyntax syntax = Granite();
  syntax.family = "phi";
  syntax.last = "]<|/tool_call|>";
  return syntax;
}

ToolSyntax Cohere() {
  return {.family = "cohere",
          .open = {"<|START_ACTION|>"},
          .close = {"<|END_ACTION|>"},
          .first = "<|START_ACTION|>[\n    ",
          .between = ",\n    ",
          .last = "\n]<|END_ACTION|>",
          .name_key = "tool_name",
          .arguments_key = "parameters"};
}

ToolSyntax CohereAction() {
  return {.family = "cohere-action",
          .open = {"Action:", "```json"},
          .close = {"```"},
          .first = "Action:\n```json\n[\n",
          .between = ",\n",
          .last = "\n]\n```",
          .name_key = "tool_name",
          .arguments_key = "parameters"};
}

std::string Quote(std::string_view text) { return json::Serialize(json::value(json::string(text))); }

}  // namespace

ToolSyntax GenericToolSyntax() {
  return {.family = "generic",
          .open = {"<tool_call>", "```json"},
          .close = {"</tool_call>", "```"},
          .bare = true,
          .between = "\n"};
}

ToolSyntax FindToolSyntax(std::string_view source) {
  const auto has = [&](std::string_view text) { return source.find(text) != std::string_view::npos; };
  if (has("<｜tool▁call▁begin｜>")) return DeepSeek(has("```json"));
  if (has(">>>all")) return Functionary();
  if (has("<|START_ACTION|>")) return Cohere();
  if (has("[TOOL_CALLS]")) return has("[ARGS]") ? MistralNamed() : MistralList();
  if (has("<parameter=") && has("<function=")) return QwenCoder();
  if (has("<tool_call>")) return Hermes();
  if (has("<|tool_call|>")) return Granite();
  if (has("<|tool|>")) return Phi();
  if (has("<function=")) return LlamaFunction();
  if (has("<|python_tag|>") || has("\"parameters\": dictionary")) return Llama();
  if (has("directly-answer") && has("Action:")) return CohereAction();
  return GenericToolSyntax();
}

std::string ToolSyntax::BeforeArguments(std::string_view name) const {
  if (named) return fmt::format("{}{}{}", before, name, name_after);
  return fmt::format("{}{{\"{}\": {}, \"{}\": ", before, name_key, Quote(name), arguments_key);
}

std::string ToolSyntax::AfterArguments() const { return named ? after : "}" + after; }

std::string ToolSyntax::Write(std::span<const ToolCall> calls) const {
  std::string text = first;
  for (size_t i = 0; i < calls.size(); i++) {
    if (i > 0) text += between;
    text += BeforeArguments(calls[i].name) + calls[i].arguments + AfterArguments();
  }
  return text + last;
}

ConstraintSpec ToolSyntax::Calls(std::span<const Tool> tools, bool several) const {
  ConstraintSpec spec{
      .kind = ConstraintSpec::Kind::kCalls, .begin = first, .between = between, .end = last, .several = several};
  for (const Tool& tool : tools) {
    json::value schema = tool.parameters;
    if (tool.parameters.empty()) schema = json::object{{"type", "object"}};
    spec.calls.push_back({BeforeArguments(tool.name), std::move(schema), AfterArguments()});
  }
  return spec;
}

}  // namespace bothy::serve
