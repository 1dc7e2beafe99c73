#include "text/chat_template.h"

#include <algorithm>
#include <array>
#include <utility>

#include "codec/jinja/unicode.h"
#include "codec/json.h"

namespace bothy {
namespace {

using json::array;
using json::object;
using json::value;

// What a message's reasoning is called; the first is what templates read.
constexpr std::array<std::string_view, 3> kReasoning = {"reasoning_content", "thinking", "reasoning"};
// Arguments of apply_chat_template that say what becomes of the text; no variables of the template.
constexpr std::array<std::string_view, 12> kNoVariables = {
    "messages",   "continue_final_message",  "kwargs",      "chat_template",
    "tokenize",   "sanitize_control_tokens", "padding",     "truncation",
    "max_length", "return_tensors",          "return_dict", "return_assistant_tokens_mask"};
// Put behind the message that is to be continued, and looked for in what was rendered. The blank at its end tells
// whether the template trimmed the message.
constexpr std::string_view kMarker = "CONTINUE_FINAL_MESSAGE_TAG ";
constexpr std::string_view kTrimmedMarker = kMarker.substr(0, kMarker.size() - 1);

tl::unexpected<Error> Refuse(std::string_view message) { return Fail(ErrorCode::kInvalidArgument, "{}", message); }

// A copy without keys whose value is null, which clients send and few templates expect; reasoning is copied to the
// names that templates read it from.
object Normalized(const object& message) {
  object out;
  const value* reasoning = nullptr;
  for (const std::string_view name : kReasoning) {
    const value* found = message.if_contains(name);
    if (reasoning == nullptr && found != nullptr && !found->is_null()) reasoning = found;
  }
  if (reasoning != nullptr) out["thinking"] = *reasoning;
  for (const auto& [key, item] : message) {
    if (!item.is_null()) out[key] = item;
  }
  if (reasoning != nullptr) out["reasoning_content"] = *reasoning;
  return out;
}

Result<array> Messages(const object& request) {
  const value* messages = request.if_contains("messages");
  if (messages == nullptr) return Refuse("the conversation has no \"messages\"");
  if (!messages->is_array()) return Refuse("\"messages\": expected a list of messages");
  array out;
  for (const value& message : messages->get_array()) {
    if (!message.is_object()) {
      return Fail(ErrorCode::kInvalidArgument, "\"messages\": message {} is not an object", out.size());
    }
    out.push_back(Normalized(message.get_object()));
  }
  if (out.empty()) return Refuse("\"messages\": a conversation needs at least one message");
  return out;
}

Result<void> CheckObjects(const object& request, std::string_view key) {
  const value* items = request.if_contains(key);
  if (items == nullptr || items->is_null()) return {};
  const array* list = items->if_array();
  if (list == nullptr || !std::all_of(list->begin(), list->end(), [](const value& item) { return item.is_object(); })) {
    return Fail(ErrorCode::kInvalidArgument, "\"{}\": expected a list of objects", key);
  }
  return {};
}

// Python's bool() of a JSON value.
bool Truth(const value* v) {
  if (v == nullptr) return false;
  switch (v->kind()) {
    case boost::json::kind::null: return false;
    case boost::json::kind::bool_: return v->get_bool();
    case boost::json::kind::int64: return v->get_int64() != 0;
    case boost::json::kind::uint64: return v->get_uint64() != 0;
    case boost::json::kind::double_: return v->get_double() != 0;
    case boost::json::kind::string: return !v->get_string().empty();
    case boost::json::kind::array: return !v->get_array().empty();
    case boost::json::kind::object: return !v->get_object().empty();
  }
  return false;
}

void AppendMarker(json::string& text) { text.append({kMarker.data(), kMarker.size()}); }

// Marks the end of the last message's text; gives the text as it was.
Result<std::string> MarkFinalMessage(array& messages, std::string_view field, std::string_view source) {
  object& message = messages.back().get_object();
  value* content = message.if_contains(field);
  if (content == nullptr) {
    return Fail(ErrorCode::kInvalidArgument, "continue_final_message: the last message has no \"{}\" to continue",
                field);
  }
  std::vector<std::string> fields = {std::string(field)};
  if (std::find(kReasoning.begin(), kReasoning.end(), field) != kReasoning.end()) {
    fields.clear();
    for (const std::string_view name : kReasoning) {
      const value* copy = message.if_contains(name);
      if (copy != nullptr && *copy == *content) fields.emplace_back(name);
    }
  }
  if (std::none_of(fields.begin(), fields.end(),
                   [&](const std::string& name) { return source.find(name) != std::string_view::npos; })) {
    return Fail(ErrorCode::kInvalidArgument, "continue_final_message: the template does not read \"{}\"", field);
  }
  if (array* parts = content->if_array()) {
    for (size_t i = parts->size(); i-- > 0;) {
      object* part = (*parts)[i].if_object();
      value* text = part != nullptr ? part->if_contains("text") : nullptr;
      if (text == nullptr) continue;
      if (!text->is_string()) return Refuse("continue_final_message: the last text is not a string");
      std::string original(text->get_string());
      AppendMarker(text->get_string());
      return original;
    }
    return Refuse("continue_final_message: the last message has no text to continue");
  }
  if (!content->is_string()) return Refuse("continue_final_message: the last message is not text");
  std::string original(content->get_string());
  for (const std::string& name : fields) AppendMarker(message.at(name).get_string());
  return original;
}

// The rendered text up to the marker. Where the template trimmed the message, blanks at its end go too.
Result<std::string> CutAtMarker(std::string rendered, std::string_view original) {
  const size_t marker = rendered.rfind(kTrimmedMarker);
  if (marker == std::string::npos || rendered.find(jinja::StripSpace(original)) == std::string::npos) {
    return Refuse(
        "continue_final_message: the last message does not appear in the prompt; does the template drop part of it?");
  }
  const bool kept = rendered.compare(marker, kMarker.size(), kMarker) == 0;
  rendered.resize(marker);
  if (!kept) rendered.resize(jinja::Strip(rendered, nullptr, false, true).size());
  return rendered;
}

}  // namespace

Result<ChatTemplate> ChatTemplate::Create(std::string_view source, std::string_view name,
                                          std::vector<std::pair<std::string, std::string>> tokens) {
  return ChatTemplate(TRY(jinja::Template::Parse(source, name)), std::move(tokens));
}

Result<std::string> ChatTemplate::Render(const object& request, const jinja::RenderOptions& options) const {
  array messages = TRY(Messages(request));
  TRY(CheckObjects(request, "tools"));
  TRY(CheckObjects(request, "documents"));
  const value* add_prompt = request.if_contains("add_generation_prompt");
  const value* continues = request.if_contains("continue_final_message");

  object variables;
  for (const auto& [name, text] : tokens_) variables[name] = text;
  for (const auto& [key, item] : request) {
    if (std::find(kNoVariables.begin(), kNoVariables.end(), std::string_view(key)) != kNoVariables.end()) continue;
    variables[key] = item;
  }
  if (const object* more = json::FindObject(request, "kwargs")) {
    for (const auto& [key, item] : *more) variables[key] = item;
  }
  // These are always there: a template may ask whether tools is none without asking whether it is defined.
  for (const std::string_view name : {"tools", "documents"}) variables.emplace(name, nullptr);
  if (add_prompt == nullptr || add_prompt->is_null()) variables["add_generation_prompt"] = false;

  std::string original;
  const bool continuing = Truth(continues);
  if (continuing) {
    if (Truth(add_prompt)) {
      return Refuse(
          "continue_final_message and add_generation_prompt exclude each other: the one continues the last message, "
          "the other begins a new one");
    }
    const std::string field = continues->is_string() ? std::string(continues->get_string()) : "content";
    original = TRY(MarkFinalMessage(messages, field, template_.source()));
  }
  variables["messages"] = std::move(messages);
  std::string rendered = TRY(template_.Render(variables, options));
  return continuing ? CutAtMarker(std::move(rendered), original) : rendered;
}

}  // namespace bothy
