#include "api/protocol/request_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "runtime/sampling/sampling_params.h"

namespace bothy::api {
namespace {

std::string Item(std::string_view path, size_t index) { return fmt::format("{}[{}]", path, index); }

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("_-.:/").find(c) != std::string_view::npos;
}

Result<serve::TokenIds> ReadTokenIds(const json::array& list, std::string_view path) {
  serve::TokenIds ids;
  for (const json::value& one : list) {
    boost::json::error_code error;
    const auto id = one.is_number() ? one.to_number<int32_t>(error) : -1;
    if (error || id < 0) return Fail(ErrorCode::kInvalidArgument, "{}: expected token ids of at least 0", path);
    ids.push_back(id);
  }
  if (ids.empty()) return Fail(ErrorCode::kInvalidArgument, "{}: expected at least one token id", path);
  return ids;
}

}  // namespace

Result<std::string> ReadFunctionName(const Fields& from, std::string_view key) {
  std::string name = TRY(from.NeedString(key));
  if (name.empty() || name.size() > kMaxNameBytes || !std::ranges::all_of(name, IsNameCharacter)) {
    return from.Unexpected(key, fmt::format("1 to {} letters, digits, _, -, ., : and /", kMaxNameBytes));
  }
  return name;
}

Result<serve::Tool> ReadFunction(const Fields& from, std::string_view schema_key) {
  serve::Tool tool;
  tool.name = TRY(ReadFunctionName(from, "name"));
  tool.description = TRY(from.String("description")).value_or("");
  if (const auto schema = TRY(from.Object(schema_key))) tool.parameters = schema->object();
  return tool;
}

Result<std::vector<serve::Tool>> ReadFunctionTools(const Fields& from, std::string_view key) {
  std::vector<serve::Tool> tools;
  const json::array* list = TRY(from.List(key, kMaxTools));
  if (list == nullptr) return tools;
  for (const json::value& one : *list) {
    const Fields tool = TRY(Fields::Of(one, Item(from.Path(key), tools.size())));
    if (TRY(tool.NeedString("type")) != "function") return tool.Unexpected("type", "\"function\"");
    tools.push_back(TRY(ReadFunction(TRY(tool.NeedObject("function")), "parameters")));
  }
  return tools;
}

Result<serve::ResponseFormat> ReadNamedSchema(const Fields& from) {
  serve::ResponseFormat format{.kind = serve::ResponseFormat::Kind::kJsonSchema};
  format.name = TRY(from.String("name")).value_or("");
  format.schema = TRY(from.NeedObject("schema")).object();
  return format;
}

Result<std::string> ReadArguments(const Fields& from, std::string_view key) {
  const json::value* value = from.Find(key);
  if (value == nullptr) return "{}";
  if (value->is_object()) return json::Serialize(*value);
  if (!value->is_string()) return from.Unexpected(key, "a JSON object");
  std::string text(value->get_string());
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return "{}";
  const auto parsed = json::Parse(text, "arguments", kMaxRequestValues);
  if (!parsed || !parsed->is_object()) return from.Unexpected(key, "the text of a JSON object");
  return text;
}

Result<std::vector<serve::Prompt>> ReadPrompts(const Fields& from, std::string_view key) {
  const json::value* value = from.Find(key);
  if (value == nullptr) return from.Missing(key);
  std::vector<serve::Prompt> prompts;
  if (value->is_string()) {
    prompts.emplace_back(std::string(value->get_string()));
    return prompts;
  }
  if (!value->is_array() || value->get_array().empty()) {
    return from.Unexpected(key, "a text, token ids, or a list of such");
  }
  const json::array& list = value->get_array();
  if (list.front().is_number()) {
    prompts.emplace_back(TRY(ReadTokenIds(list, from.Path(key))));
    return prompts;
  }
  for (const json::value& one : *TRY(from.List(key, kMaxPrompts))) {
    if (one.is_string()) {
      prompts.emplace_back(std::string(one.get_string()));
    } else if (one.is_array()) {
      prompts.emplace_back(TRY(ReadTokenIds(one.get_array(), Item(from.Path(key), prompts.size()))));
    } else {
      return from.Unexpected(key, "a text, token ids, or a list of such");
    }
  }
  return prompts;
}

Result<std::vector<std::string>> ReadContent(const Fields& from, std::string_view key,
                                             std::initializer_list<std::string_view> types) {
  std::vector<std::string> texts;
  const json::value* value = from.Find(key);
  if (value == nullptr) return texts;
  if (value->is_string()) {
    texts.emplace_back(value->get_string());
    return texts;
  }
  if (!value->is_array()) return from.Unexpected(key, "a text or a list of parts");
  for (const json::value& one : *TRY(from.List(key, kMaxParts))) {
    const Fields part = TRY(Fields::Of(one, Item(from.Path(key), texts.size())));
    const std::string type = TRY(part.NeedString("type"));
    if (std::ranges::find(types, type) == types.end()) {
      return Fail(ErrorCode::kInvalidArgument, "{}: parts of type \"{}\" cannot be answered: only text can",
                  part.Path("type"), type);
    }
    texts.push_back(TRY(part.NeedString("text")));
  }
  return texts;
}

Result<void> CheckToolChoice(const serve::ChatRequest& request, std::string_view field) {
  using Kind = serve::ToolChoice::Kind;
  const Kind kind = request.tool_choice.kind;
  if (kind == Kind::kAuto || kind == Kind::kNone) return {};
  if (request.tools.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "{}: a call is demanded, but there are no tools", field);
  }
  const std::string& name = request.tool_choice.name;
  if (kind == Kind::kNamed && std::ranges::find(request.tools, name, &serve::Tool::name) == request.tools.end()) {
    return Fail(ErrorCode::kInvalidArgument, "{}: \"{}\" is none of the tools", field, name);
  }
  return {};
}

Result<void> CheckSettings(const serve::GenerationOptions& options) {
  SamplingParams params;
  return ReadSampling(options.sampling, SettingsFrom::kRequest, params);
}

void NameResults(std::vector<serve::Message>& messages) {
  std::map<std::string, std::string, std::less<>> names;
  for (serve::Message& message : messages) {
    for (const serve::ToolCall& call : message.tool_calls) names[call.id] = call.name;
    const auto found = names.find(message.tool_call_id);
    if (message.role == serve::Role::kTool && message.name.empty() && found != names.end())
      message.name = found->second;
  }
}

}  // namespace bothy::api
