#include "api/openai/chat_request.h"

#include <fmt/format.h>

#include "api/openai/chat_format.h"
#include "api/openai/options.h"
#include "api/protocol/request_parts.h"

namespace bothy::api::openai {
namespace {

using serve::ChatRequest;
using serve::Message;
using serve::Role;

Result<Role> ReadRole(const Fields& from) {
  const std::string role = TRY(from.NeedString("role"));
  if (role == "system" || role == "developer") return Role::kSystem;
  if (role == "user") return Role::kUser;
  if (role == "assistant") return Role::kAssistant;
  if (role == "tool") return Role::kTool;
  return from.Unexpected("role", "\"system\", \"developer\", \"user\", \"assistant\" or \"tool\"");
}

Result<std::vector<serve::ToolCall>> ReadCalls(const Fields& from) {
  std::vector<serve::ToolCall> calls;
  const json::array* list = TRY(from.List("tool_calls", kMaxCalls));
  if (list == nullptr) return calls;
  for (const json::value& one : *list) {
    const Fields call = TRY(Fields::Of(one, fmt::format("{}[{}]", from.Path("tool_calls"), calls.size())));
    if (TRY(call.String("type")).value_or("function") != "function") return call.Unexpected("type", "\"function\"");
    const Fields function = TRY(call.NeedObject("function"));
    calls.push_back({.id = TRY(call.NeedString("id")),
                     .name = TRY(ReadFunctionName(function, "name")),
                     .arguments = TRY(ReadArguments(function, "arguments"))});
  }
  return calls;
}

Result<Message> ReadMessage(const Fields& from) {
  Message message;
  message.role = TRY(ReadRole(from));
  message.content = TRY(ReadContent(from, "content", {"text"}));
  message.name = TRY(from.String("name")).value_or("");
  if (message.role == Role::kAssistant) {
    message.tool_calls = TRY(ReadCalls(from));
    message.reasoning = TRY(from.String("reasoning_content")).value_or("");
    if (message.reasoning.empty()) message.reasoning = TRY(from.String("reasoning")).value_or("");
  } else if (message.content.empty()) {
    return from.Missing("content");
  }
  if (message.role == Role::kTool) message.tool_call_id = TRY(from.NeedString("tool_call_id"));
  return message;
}

Result<serve::ToolChoice> ReadToolChoice(const Fields& body) {
  using Kind = serve::ToolChoice::Kind;
  constexpr std::string_view kExpected = "\"none\", \"auto\", \"required\" or a function's name in an object";
  const json::value* value = body.Find("tool_choice");
  if (value == nullptr) return serve::ToolChoice{};
  if (value->is_string()) {
    const auto& text = value->get_string();
    if (text == "auto") return serve::ToolChoice{};
    if (text == "none") return serve::ToolChoice{.kind = Kind::kNone};
    if (text == "required") return serve::ToolChoice{.kind = Kind::kRequired};
    return body.Unexpected("tool_choice", kExpected);
  }
  const auto choice = TRY(body.Object("tool_choice"));
  if (TRY(choice->NeedString("type")) != "function") return choice->Unexpected("type", "\"function\"");
  return serve::ToolChoice{.kind = Kind::kNamed, .name = TRY(TRY(choice->NeedObject("function")).NeedString("name"))};
}

Result<void> ReadLogProbs(const Fields& body, serve::GenerationOptions& options) {
  const bool wanted = TRY(body.Bool("logprobs")).value_or(false);
  const auto top = TRY(body.Int("top_logprobs", 0, kMaxTopLogProbs));
  if (wanted) options.log_probs = static_cast<size_t>(top.value_or(0));
  if (!wanted && top.value_or(0) > 0) {
    return Fail(ErrorCode::kInvalidArgument, "top_logprobs: needs logprobs to be true");
  }
  return {};
}

Result<void> RefuseWhatIsNotHere(const Fields& body) {
  TRY(body.Refuse("functions", "is not supported; tools are"));
  TRY(body.Refuse("function_call", "is not supported; tool_choice is"));
  TRY(body.Refuse("audio", "answers are text only"));
  TRY(body.Refuse("web_search_options", "is not supported"));
  const json::array* modalities = TRY(body.List("modalities", kMaxParts));
  if (modalities == nullptr) return {};
  for (const json::value& one : *modalities) {
    if (one != "text") return Fail(ErrorCode::kUnimplemented, "modalities: answers are text only");
  }
  return {};
}

}  // namespace

Result<serve::Exchange> ParseChat(const json::object& object) {
  const Fields body(object);
  TRY(RefuseWhatIsNotHere(body));
  ChatRequest request;
  TRY(ReadOptions(body, request.options));
  TRY(CopyInt(body, "max_completion_tokens", 1, kMaxNewTokens, request.options.sampling, "max_new_tokens"));
  TRY(ReadLogProbs(body, request.options));
  if (body.Has("response_format")) request.options.format = TRY(ReadResponseFormat(body, "response_format"));
  const json::array* messages = TRY(body.NeedList("messages", kMaxMessages));
  for (const json::value& one : *messages) {
    const Fields from = TRY(Fields::Of(one, fmt::format("messages[{}]", request.messages.size())));
    request.messages.push_back(TRY(ReadMessage(from)));
  }
  if (request.messages.empty()) return body.Unexpected("messages", "at least one message");
  NameResults(request.messages);
  request.tools = TRY(ReadFunctionTools(body, "tools"));
  request.tool_choice = TRY(ReadToolChoice(body));
  TRY(CheckToolChoice(request, "tool_choice"));
  request.parallel_tool_calls = TRY(body.Bool("parallel_tool_calls")).value_or(true);
  request.effort = TRY(body.String("reasoning_effort")).value_or("");
  if (request.effort == "none") request.think = false;
  // As vLLM and llama.cpp's server have it.
  if (const auto variables = TRY(body.Object("chat_template_kwargs"))) request.template_variables = variables->object();
  request.continue_final_message = TRY(body.Bool("continue_final_message")).value_or(false);
  TRY(CheckSettings(request.options));
  auto format = std::make_unique<ChatFormat>(request.options);
  return serve::Exchange{std::move(request), std::move(format)};
}

}  // namespace bothy::api::openai
