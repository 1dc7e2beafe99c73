#include "api/openai/responses_request.h"

#include <fmt/format.h>

#include <utility>

#include "api/openai/options.h"
#include "api/openai/responses_format.h"
#include "api/protocol/request_parts.h"

namespace bothy::api::openai {
namespace {

using serve::ChatRequest;
using serve::Message;
using serve::Role;

// Items of the input become messages: a model's turn is several items (thoughts, text, calls), but one message.
class InputReader {
 public:
  explicit InputReader(std::vector<Message>& messages) : messages_(messages) {}

  Result<void> Read(const Fields& item) {
    const std::string type = TRY(item.String("type")).value_or("message");
    if (type == "message") return ReadMessage(item);
    if (type == "function_call") return ReadCall(item);
    if (type == "function_call_output") return ReadOutput(item);
    if (type == "reasoning") return ReadReasoning(item);
    return Fail(ErrorCode::kUnimplemented, "{}: items of type \"{}\" are not supported", item.Path("type"), type);
  }

 private:
  // The model's turn that goes on.
  Message& Turn() {
    if (messages_.empty() || messages_.back().role != Role::kAssistant) {
      messages_.push_back({.role = Role::kAssistant});
    }
    return messages_.back();
  }

  Result<void> ReadMessage(const Fields& item) {
    const std::string role = TRY(item.NeedString("role"));
    auto content = TRY(ReadContent(item, "content", {"input_text", "output_text", "text"}));
    if (content.empty()) return item.Missing("content");
    if (role == "assistant") {
      // Text behind a call, or behind text, is a turn of its own.
      if (!messages_.empty() && messages_.back().role == Role::kAssistant && !messages_.back().content.empty()) {
        messages_.push_back({.role = Role::kAssistant});
      }
      Turn().content = std::move(content);
      return {};
    }
    const bool system = role == "system" || role == "developer";
    if (!system && role != "user")
      return item.Unexpected("role", "\"user\", \"assistant\", \"system\" or \"developer\"");
    messages_.push_back({.role = system ? Role::kSystem : Role::kUser, .content = std::move(content)});
    return {};
  }

  Result<void> ReadCall(const Fields& item) {
    Turn().tool_calls.push_back({.id = TRY(item.NeedString("call_id")),
                                 .name = TRY(ReadFunctionName(item, "name")),
                                 .arguments = TRY(ReadArguments(item, "arguments"))});
    return {};
  }

  Result<void> ReadOutput(const Fields& item) {
    Message message{.role = Role::kTool};
    message.tool_call_id = TRY(item.NeedString("call_id"));
    message.content = TRY(ReadContent(item, "output", {"input_text", "output_text"}));
    messages_.push_back(std::move(message));
    return {};
  }

  Result<void> ReadReasoning(const Fields& item) {
    const auto texts = TRY(ReadContent(item, "content", {"reasoning_text", "text"}));
    for (const std::string& text : texts) Turn().reasoning += text;
    return {};
  }

  std::vector<Message>& messages_;
};

Result<void> ReadInput(const Fields& body, std::vector<Message>& messages) {
  const json::value* input = body.Find("input");
  if (input == nullptr) return body.Missing("input");
  if (input->is_string()) {
    messages.push_back({.role = Role::kUser, .content = {std::string(input->get_string())}});
    return {};
  }
  InputReader reader(messages);
  const json::array* items = TRY(body.NeedList("input", kMaxMessages));
  for (size_t i = 0; i < items->size(); i++) {
    TRY(reader.Read(TRY(Fields::Of((*items)[i], fmt::format("input[{}]", i)))));
  }
  if (messages.empty()) return body.Unexpected("input", "a text or at least one item");
  return {};
}

Result<std::vector<serve::Tool>> ReadTools(const Fields& body) {
  std::vector<serve::Tool> tools;
  const json::array* list = TRY(body.List("tools", kMaxTools));
  if (list == nullptr) return tools;
  for (const json::value& one : *list) {
    const Fields tool = TRY(Fields::Of(one, fmt::format("tools[{}]", tools.size())));
    const std::string type = TRY(tool.NeedString("type"));
    if (type != "function") {
      return Fail(ErrorCode::kUnimplemented, "{}: \"{}\" is not supported, functions are", tool.Path("type"), type);
    }
    tools.push_back(TRY(ReadFunction(tool, "parameters")));
  }
  return tools;
}

Result<serve::ToolChoice> ReadChoice(const Fields& body) {
  using Kind = serve::ToolChoice::Kind;
  const json::value* value = body.Find("tool_choice");
  if (value == nullptr || *value == "auto") return serve::ToolChoice{};
  if (*value == "none") return serve::ToolChoice{.kind = Kind::kNone};
  if (*value == "required") return serve::ToolChoice{.kind = Kind::kRequired};
  if (!value->is_object()) return body.Unexpected("tool_choice", "\"none\", \"auto\", \"required\" or a function");
  const Fields choice = TRY(body.NeedObject("tool_choice"));
  if (TRY(choice.NeedString("type")) != "function") return choice.Unexpected("type", "\"function\"");
  return serve::ToolChoice{.kind = Kind::kNamed, .name = TRY(choice.NeedString("name"))};
}

Result<void> ReadTextFormat(const Fields& body, serve::GenerationOptions& options) {
  const auto text = TRY(body.Object("text"));
  const auto format = text ? TRY(text->Object("format")) : std::nullopt;
  if (!format) return {};
  const std::string type = TRY(format->NeedString("type"));
  if (type == "json_schema") {
    options.format = TRY(ReadNamedSchema(*format));
  } else if (type == "json_object") {
    options.format = {.kind = serve::ResponseFormat::Kind::kJsonObject};
  } else if (type != "text") {
    return format->Unexpected("type", "\"text\", \"json_object\" or \"json_schema\"");
  }
  return {};
}

Result<void> RefuseWhatIsNotHere(const Fields& body) {
  TRY(body.Refuse("previous_response_id", "responses are not kept: send the conversation as input"));
  TRY(body.Refuse("conversation", "conversations are not kept: send it as input"));
  TRY(body.Refuse("background", "is not supported"));
  TRY(body.Refuse("prompt", "is not supported: send instructions and input"));
  return {};
}

// What a response repeats of its request, with the values that stand for nothing.
json::object Repeated(const json::object& body) {
  json::object repeated{{"instructions", nullptr},
                        {"max_output_tokens", nullptr},
                        {"metadata", json::object()},
                        {"parallel_tool_calls", true},
                        {"reasoning", {{"effort", nullptr}, {"summary", nullptr}}},
                        {"temperature", nullptr},
                        {"text", {{"format", {{"type", "text"}}}}},
                        {"tool_choice", "auto"},
                        {"tools", json::array()},
                        {"top_p", nullptr},
                        {"user", nullptr}};
  for (auto& [key, value] : repeated) {
    const json::value* asked = body.if_contains(key);
    if (asked != nullptr && !asked->is_null()) value = *asked;
  }
  return repeated;
}

}  // namespace

Result<serve::Exchange> ParseResponses(const json::object& object) {
  const Fields body(object);
  TRY(RefuseWhatIsNotHere(body));
  ChatRequest request;
  serve::GenerationOptions& options = request.options;
  TRY(ReadOptions(body, options));
  TRY(CopyInt(body, "max_output_tokens", 1, kMaxNewTokens, options.sampling, "max_new_tokens"));
  if (const auto n = TRY(body.Int("n", 1, 1)); n) options.sampling.erase("num_return_sequences");
  const auto top = TRY(body.Int("top_logprobs", 0, kMaxTopLogProbs));
  const auto include = TRY(body.Strings("include", kMaxParts));
  for (const std::string& what : include) {
    if (what == "message.output_text.logprobs") options.log_probs = static_cast<size_t>(top.value_or(0));
  }
  TRY(ReadTextFormat(body, options));
  if (const auto instructions = TRY(body.String("instructions"))) {
    request.messages.push_back({.role = Role::kSystem, .content = {*instructions}});
  }
  TRY(ReadInput(body, request.messages));
  NameResults(request.messages);
  request.tools = TRY(ReadTools(body));
  request.tool_choice = TRY(ReadChoice(body));
  TRY(CheckToolChoice(request, "tool_choice"));
  request.parallel_tool_calls = TRY(body.Bool("parallel_tool_calls")).value_or(true);
  if (const auto reasoning = TRY(body.Object("reasoning"))) {
    request.effort = TRY(reasoning->String("effort")).value_or("");
    if (request.effort == "none") request.think = false;
  }
  TRY(body.Object("metadata"));
  TRY(CheckSettings(options));
  auto format = std::make_unique<ResponsesFormat>(Repeated(object));
  return serve::Exchange{std::move(request), std::move(format)};
}

}  // namespace bothy::api::openai
