#include "api/anthropic/messages_request.h"

#include <fmt/format.h>

#include <utility>

#include "api/anthropic/messages_format.h"
#include "api/protocol/request_parts.h"

namespace bothy::api::anthropic {
namespace {

using serve::ChatRequest;
using serve::Message;
using serve::Role;

// One message here is several of ours where results of tools are in it, which are messages of their own.
class MessageReader {
 public:
  MessageReader(const Fields& from, std::vector<Message>& messages) : from_(from), messages_(messages) {}

  Result<void> Read() {
    const std::string role = TRY(from_.NeedString("role"));
    if (role != "user" && role != "assistant") return from_.Unexpected("role", "\"user\" or \"assistant\"");
    message_.role = role == "user" ? Role::kUser : Role::kAssistant;
    const json::value* content = from_.Find("content");
    if (content == nullptr) return from_.Missing("content");
    if (content->is_string()) {
      message_.content.emplace_back(content->get_string());
    } else {
      const json::array* blocks = TRY(from_.NeedList("content", kMaxParts));
      for (size_t i = 0; i < blocks->size(); i++) {
        TRY(ReadBlock(TRY(Fields::Of((*blocks)[i], fmt::format("{}[{}]", from_.Path("content"), i)))));
      }
    }
    const bool said = !message_.content.empty() || !message_.tool_calls.empty() || !message_.reasoning.empty();
    if (said) messages_.push_back(std::move(message_));
    return {};
  }

 private:
  Result<void> ReadBlock(const Fields& block) {
    const std::string type = TRY(block.NeedString("type"));
    const bool assistant = message_.role == Role::kAssistant;
    if (type == "text") {
      message_.content.push_back(TRY(block.NeedString("text")));
    } else if (type == "tool_use" && assistant) {
      message_.tool_calls.push_back({.id = TRY(block.NeedString("id")),
                                     .name = TRY(ReadFunctionName(block, "name")),
                                     .arguments = TRY(ReadArguments(block, "input"))});
    } else if (type == "tool_result" && !assistant) {
      Message result{.role = Role::kTool, .tool_call_id = TRY(block.NeedString("tool_use_id"))};
      result.content = TRY(ReadContent(block, "content", {"text"}));
      messages_.push_back(std::move(result));
    } else if (type == "thinking" && assistant) {
      message_.reasoning += TRY(block.NeedString("thinking"));
    } else if (type != "redacted_thinking") {
      return Fail(ErrorCode::kInvalidArgument, "{}: blocks of type \"{}\" cannot be answered in a message of this role",
                  block.Path("type"), type);
    }
    return {};
  }

  const Fields& from_;
  std::vector<Message>& messages_;
  Message message_;
};

Result<void> ReadMessages(const Fields& body, ChatRequest& request) {
  const auto system = TRY(ReadContent(body, "system", {"text"}));
  if (!system.empty()) request.messages.push_back({.role = Role::kSystem, .content = system});
  const json::array* list = TRY(body.NeedList("messages", kMaxMessages));
  if (list->empty()) return body.Unexpected("messages", "at least one message");
  for (size_t i = 0; i < list->size(); i++) {
    const Fields from = TRY(Fields::Of((*list)[i], fmt::format("messages[{}]", i)));
    TRY(MessageReader(from, request.messages).Read());
  }
  if (request.messages.empty()) return body.Unexpected("messages", "a message that says something");
  NameResults(request.messages);
  // The beginning of the answer, which the model goes on with.
  const Message& last = request.messages.back();
  request.continue_final_message = last.role == Role::kAssistant && last.tool_calls.empty() && !last.content.empty();
  return {};
}

Result<void> ReadTools(const Fields& body, ChatRequest& request) {
  const json::array* list = TRY(body.List("tools", kMaxTools));
  for (size_t i = 0; list != nullptr && i < list->size(); i++) {
    const Fields tool = TRY(Fields::Of((*list)[i], fmt::format("tools[{}]", i)));
    const std::string type = TRY(tool.String("type")).value_or("custom");
    if (type != "custom") {
      return Fail(ErrorCode::kUnimplemented, "{}: \"{}\" is not supported, tools of the client are", tool.Path("type"),
                  type);
    }
    request.tools.push_back(TRY(ReadFunction(tool, "input_schema")));
  }
  const auto choice = TRY(body.Object("tool_choice"));
  if (!choice) return {};
  using Kind = serve::ToolChoice::Kind;
  const std::string type = TRY(choice->NeedString("type"));
  if (type == "any") {
    request.tool_choice.kind = Kind::kRequired;
  } else if (type == "none") {
    request.tool_choice.kind = Kind::kNone;
  } else if (type == "tool") {
    request.tool_choice = {.kind = Kind::kNamed, .name = TRY(choice->NeedString("name"))};
  } else if (type != "auto") {
    return choice->Unexpected("type", "\"auto\", \"any\", \"tool\" or \"none\"");
  }
  request.parallel_tool_calls = !TRY(choice->Bool("disable_parallel_tool_use")).value_or(false);
  return CheckToolChoice(request, "tool_choice");
}

Result<void> ReadThinking(const Fields& body, ChatRequest& request) {
  const auto thinking = TRY(body.Object("thinking"));
  if (!thinking) return {};
  const std::string type = TRY(thinking->NeedString("type"));
  if (type != "enabled" && type != "disabled" && type != "adaptive") {
    return thinking->Unexpected("type", "\"enabled\", \"disabled\" or \"adaptive\"");
  }
  if (type != "adaptive") request.think = type == "enabled";
  return {};
}

Result<void> ReadOutput(const Fields& body, ChatRequest& request) {
  const auto output = TRY(body.Object("output_config"));
  if (!output) return {};
  request.effort = TRY(output->String("effort")).value_or("");
  const auto format = TRY(output->Object("format"));
  if (!format) return {};
  if (TRY(format->NeedString("type")) != "json_schema") return format->Unexpected("type", "\"json_schema\"");
  request.options.format = TRY(ReadNamedSchema(*format));
  return {};
}

constexpr int64_t kMaxTopK = 1 << 20;

}  // namespace

Result<serve::ChatRequest> ParseCountTokens(const json::object& object) {
  const Fields body(object);
  ChatRequest request;
  request.options.model = TRY(body.NeedString("model"));
  TRY(ReadMessages(body, request));
  TRY(ReadTools(body, request));
  TRY(ReadThinking(body, request));
  return request;
}

Result<serve::Exchange> ParseMessages(const json::object& object) {
  const Fields body(object);
  ChatRequest request = TRY(ParseCountTokens(object));
  serve::GenerationOptions& options = request.options;
  if (!body.Has("max_tokens")) return body.Missing("max_tokens");
  TRY(CopyInt(body, "max_tokens", 1, kMaxNewTokens, options.sampling, "max_new_tokens"));
  TRY(CopyNumber(body, "temperature", 0, 1, options.sampling, "temperature"));
  TRY(CopyNumber(body, "top_p", 0, 1, options.sampling, "top_p"));
  TRY(CopyInt(body, "top_k", 0, kMaxTopK, options.sampling, "top_k"));
  options.stop = TRY(body.Strings("stop_sequences", kMaxStopStrings));
  options.stream = TRY(body.Bool("stream")).value_or(false);
  if (const auto metadata = TRY(body.Object("metadata"))) options.user = TRY(metadata->String("user_id")).value_or("");
  TRY(ReadOutput(body, request));
  TRY(body.Refuse("mcp_servers", "is not supported"));
  TRY(body.Refuse("container", "is not supported"));
  TRY(CheckSettings(options));
  return serve::Exchange{std::move(request), std::make_unique<MessagesFormat>()};
}

json::object TokenCountBody(size_t tokens) { return {{"input_tokens", tokens}}; }

}  // namespace bothy::api::anthropic
