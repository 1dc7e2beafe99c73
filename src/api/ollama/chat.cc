#include "api/ollama/chat.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/ollama/format.h"
#include "api/ollama/request_options.h"
#include "api/protocol/request_parts.h"

namespace bothy::api::ollama {
namespace {

using serve::ChatRequest;
using serve::Message;
using serve::Role;

constexpr std::string_view kNoImages = "images cannot be answered: only text can";

// Calls have no ids here: results answer them in their order.
class MessageReader {
 public:
  Result<Message> Read(const Fields& from) {
    Message message;
    const std::string role = TRY(from.NeedString("role"));
    TRY(from.Refuse("images", kNoImages));
    if (const auto content = TRY(from.String("content"))) message.content = {*content};
    if (role == "system") {
      message.role = Role::kSystem;
    } else if (role == "user") {
      message.role = Role::kUser;
    } else if (role == "assistant") {
      message.role = Role::kAssistant;
      message.reasoning = TRY(from.String("thinking")).value_or("");
      TRY(ReadCalls(from, message));
    } else if (role == "tool") {
      message.role = Role::kTool;
      message.name = TRY(from.String("tool_name")).value_or(TRY(from.String("name")).value_or(""));
      message.tool_call_id = TRY(from.String("tool_call_id")).value_or("");
      if (message.tool_call_id.empty()) message.tool_call_id = TakeWaiting(message.name);
    } else {
      return from.Unexpected("role", "\"system\", \"user\", \"assistant\" or \"tool\"");
    }
    return message;
  }

 private:
  // The id of the first call of this function (or, without a name, of any) that has no result yet.
  std::string TakeWaiting(std::string_view name) {
    const auto call = std::ranges::find_if(waiting_, [&](const auto& c) { return name.empty() || c.name == name; });
    if (call == waiting_.end()) return "";
    const std::string id = call->id;
    waiting_.erase(call);
    return id;
  }

  Result<void> ReadCalls(const Fields& from, Message& message) {
    const json::array* list = TRY(from.List("tool_calls", kMaxCalls));
    if (list == nullptr || list->empty()) return {};
    for (size_t i = 0; i < list->size(); i++) {
      const Fields call = TRY(Fields::Of((*list)[i], fmt::format("{}[{}]", from.Path("tool_calls"), i)));
      const Fields function = TRY(call.NeedObject("function"));
      const std::string id = fmt::format("call_{}", called_++);
      message.tool_calls.push_back({.id = TRY(call.String("id")).value_or(id),
                                    .name = TRY(ReadFunctionName(function, "name")),
                                    .arguments = TRY(ReadArguments(function, "arguments"))});
    }
    waiting_ = message.tool_calls;  // what was not answered before will not be
    return {};
  }

  size_t called_ = 0;
  std::vector<serve::ToolCall> waiting_;
};

}  // namespace

Result<serve::Exchange> ParseChat(const json::object& object) {
  const Fields body(object);
  ChatRequest request;
  TRY(ReadOptions(body, request.options));
  TRY(ReadThink(body, request));
  MessageReader reader;
  if (const json::array* list = TRY(body.List("messages", kMaxMessages))) {
    for (size_t i = 0; i < list->size(); i++) {
      const Fields from = TRY(Fields::Of((*list)[i], fmt::format("messages[{}]", i)));
      request.messages.push_back(TRY(reader.Read(from)));
    }
  }
  NameResults(request.messages);
  request.tools = TRY(ReadFunctionTools(body, "tools"));
  const bool nothing = request.messages.empty();
  auto format = std::make_unique<Format>(Format::Kind::kChat, request.options);
  return serve::Exchange{.request = std::move(request), .format = std::move(format), .load_only = nothing};
}

Result<serve::Exchange> ParseGenerate(const json::object& object) {
  const Fields body(object);
  TRY(body.Refuse("images", kNoImages));
  TRY(body.Refuse("suffix", "text before a given end cannot be generated"));
  TRY(body.Refuse("template", "a request cannot bring its own template; raw takes a whole prompt"));
  TRY(body.Refuse("context", "is not kept: send the conversation to /api/chat"));
  const std::string prompt = TRY(body.String("prompt")).value_or("");
  const std::string system = TRY(body.String("system")).value_or("");
  if (TRY(body.Bool("raw")).value_or(false)) {
    serve::CompletionRequest request;
    TRY(ReadOptions(body, request.options));
    request.prompts.emplace_back(prompt);
    auto format = std::make_unique<Format>(Format::Kind::kGenerate, request.options);
    return serve::Exchange{.request = std::move(request), .format = std::move(format), .load_only = prompt.empty()};
  }
  ChatRequest request;
  TRY(ReadOptions(body, request.options));
  TRY(ReadThink(body, request));
  if (!system.empty()) request.messages.push_back({.role = Role::kSystem, .content = {system}});
  if (!prompt.empty()) request.messages.push_back({.role = Role::kUser, .content = {prompt}});
  auto format = std::make_unique<Format>(Format::Kind::kGenerate, request.options);
  return serve::Exchange{.request = std::move(request), .format = std::move(format), .load_only = prompt.empty()};
}

}  // namespace bothy::api::ollama
