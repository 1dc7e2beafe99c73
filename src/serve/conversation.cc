#include "serve/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace bothy::serve {
namespace {

std::string Join(std::string_view first, std::string_view second, std::string_view between) {
  if (first.empty() || second.empty()) return fmt::format("{}{}", first, second);
  return fmt::format("{}{}{}", first, between, second);
}

// Takes all system messages out; what they said.
std::string TakeSystem(std::vector<Message>& messages) {
  std::string text;
  for (const Message& message : messages) {
    if (message.role == Role::kSystem) text = Join(text, JoinContent(message), "\n\n");
  }
  std::erase_if(messages, [](const Message& message) { return message.role == Role::kSystem; });
  return text;
}

}  // namespace

std::string JoinContent(const Message& message) {
  std::string text;
  for (size_t i = 0; i < message.content.size(); i++) {
    if (i > 0) text += '\n';
    text += message.content[i];
  }
  return text;
}

void AddToSystem(std::vector<Message>& messages, const std::string& text) {
  if (messages.empty() || messages.front().role != Role::kSystem) {
    messages.insert(messages.begin(), Message{.role = Role::kSystem, .content = {text}});
  } else {
    messages.front().content = {Join(JoinContent(messages.front()), text, "\n\n")};
  }
}

void FoldSystem(std::vector<Message>& messages) {
  const std::string text = TakeSystem(messages);
  if (text.empty() && !messages.empty()) return;
  const auto user = std::ranges::find(messages, Role::kUser, &Message::role);
  if (user == messages.end()) {
    messages.insert(messages.begin(), Message{.role = Role::kUser, .content = {text}});
  } else {
    user->content = {Join(text, JoinContent(*user), "\n\n")};
  }
}

void Straighten(std::vector<Message>& messages) {
  const std::string system = TakeSystem(messages);
  std::vector<Message> straight;
  if (!system.empty()) straight.push_back({.role = Role::kSystem, .content = {system}});
  for (Message& message : messages) {
    const bool joins = !straight.empty() && straight.back().role == message.role && message.role != Role::kTool &&
                       message.tool_calls.empty() && straight.back().tool_calls.empty();
    if (joins) {
      straight.back().content = {Join(JoinContent(straight.back()), JoinContent(message), "\n\n")};
    } else {
      const bool unanswered = !straight.empty() && straight.back().role == Role::kTool && message.role == Role::kUser;
      if (unanswered) straight.push_back({.role = Role::kAssistant, .content = {""}});
      straight.push_back(std::move(message));
    }
  }
  messages = std::move(straight);
}

void SplitCalls(std::vector<Message>& messages) {
  std::vector<Message> split;
  for (size_t i = 0; i < messages.size(); i++) {
    Message& message = messages[i];
    if (message.tool_calls.size() < 2) {
      split.push_back(std::move(message));
      continue;
    }
    size_t end = i + 1;
    while (end < messages.size() && messages[end].role == Role::kTool) end++;
    std::vector<Message> results(std::make_move_iterator(messages.begin() + static_cast<ptrdiff_t>(i) + 1),
                                 std::make_move_iterator(messages.begin() + static_cast<ptrdiff_t>(end)));
    for (ToolCall& call : message.tool_calls) {
      const std::string id = call.id;
      Message& one = split.emplace_back(Message{.role = Role::kAssistant, .tool_calls = {std::move(call)}});
      one.content = std::exchange(message.content, {});
      one.reasoning = std::exchange(message.reasoning, "");
      const auto result = std::ranges::find(results, id, &Message::tool_call_id);
      if (result == results.end()) continue;
      split.push_back(std::move(*result));
      results.erase(result);
    }
    std::ranges::move(results, std::back_inserter(split));
    i = end - 1;
  }
  messages = std::move(split);
}

void WriteCalls(std::vector<Message>& messages, const ToolSyntax& syntax) {
  for (Message& message : messages) {
    if (message.tool_calls.empty()) continue;
    message.content = {Join(JoinContent(message), syntax.Write(message.tool_calls), "\n")};
    message.tool_calls.clear();
  }
}

void WriteResults(std::vector<Message>& messages) {
  for (Message& message : messages) {
    if (message.role != Role::kTool) continue;
    const std::string of = message.name.empty() ? "the function" : message.name;
    message = {.role = Role::kUser, .content = {fmt::format("Result of {}:\n{}", of, JoinContent(message))}};
  }
}

void ShortenIds(std::vector<Message>& messages) {
  std::map<std::string, std::string, std::less<>> known;
  const auto shorten = [&](std::string& id) {
    const auto [entry, added] = known.try_emplace(id);
    if (added) entry->second = fmt::format("call{:05}", known.size() % 100000);
    id = entry->second;
  };
  for (Message& message : messages) {
    for (ToolCall& call : message.tool_calls) shorten(call.id);
    if (message.role == Role::kTool) shorten(message.tool_call_id);
  }
}

std::string DescribeTools(std::span<const Tool> tools, const ToolSyntax& syntax) {
  std::string text =
      "You can call functions to answer the user. These are the functions, with the JSON schemas of their arguments:\n";
  for (const Tool& tool : tools) {
    json::object described{{"name", tool.name}};
    if (!tool.description.empty()) described["description"] = tool.description;
    described["parameters"] = tool.parameters;
    text += "\n" + json::Serialize(described);
  }
  const ToolCall example{.name = "function-name", .arguments = R"({"argument-name": "value"})"};
  return text + "\n\nTo call a function, answer with nothing but its name and arguments, in this form:\n" +
         syntax.Write({&example, 1}) +
         "\nIts result is in the message after that. Where no function is needed, answer in plain text.";
}

}  // namespace bothy::serve
