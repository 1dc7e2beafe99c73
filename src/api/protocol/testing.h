// What the tests of all protocols share: bodies, and an answer with everything in it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "api/protocol/fields.h"
#include "serve/answer.h"

namespace bothy::api {

inline json::object Body(std::string_view text) {
  auto body = ParseRequest(text);
  if (!body) ADD_FAILURE() << body.error().message;
  return body ? *std::move(body) : json::object();
}

inline json::value Parsed(std::string_view text) {
  auto value = json::Parse(text, "an answer");
  if (!value) ADD_FAILURE() << value.error().message << ": " << text;
  return value ? *std::move(value) : json::value();
}

// Member by member: At(v, "choices.0.message.content"). Null where there is none.
inline json::value At(const json::value& from, std::string_view path) {
  const json::value* at = &from;
  while (!path.empty()) {
    const std::string_view key = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(path.size(), key.size() + 1));
    if (at->is_object()) {
      at = at->get_object().if_contains(key);
    } else if (at->is_array()) {
      const size_t index = static_cast<size_t>(std::stoul(std::string(key)));
      at = index < at->get_array().size() ? &at->get_array()[index] : nullptr;
    } else {
      at = nullptr;
    }
    if (at == nullptr) return nullptr;
  }
  return *at;
}

// The data of each server-sent event; "[DONE]" is a text. Fails where an event is framed wrongly.
inline std::vector<json::value> EventData(std::string_view stream, std::string_view prefix = "data: ") {
  std::vector<json::value> out;
  while (!stream.empty()) {
    const size_t end = stream.find("\n\n");
    if (end == std::string_view::npos) {
      ADD_FAILURE() << "an event without an end: " << stream;
      return out;
    }
    std::string_view event = stream.substr(0, end);
    stream.remove_prefix(end + 2);
    std::string_view name;
    if (event.starts_with("event: ")) {
      name = event.substr(7, event.find('\n') - 7);
      event.remove_prefix(std::min(event.size(), name.size() + 8));
    }
    if (!event.starts_with(prefix)) ADD_FAILURE() << "no data: " << event;
    event.remove_prefix(std::min(event.size(), prefix.size()));
    out.push_back(event == "[DONE]" ? json::value("[DONE]") : Parsed(event));
    if (!name.empty()) {
      EXPECT_EQ(At(out.back(), "type"), json::value(name));
    }
  }
  return out;
}

inline const serve::AnswerHead kHead{
    .id = "abc", .model = "ada/demo", .created = 1700000000, .prompt_tokens = 7, .server = "bothy"};

inline serve::Summary ASummary() {
  serve::Summary summary;
  summary.usage = {.prompt_tokens = 7, .cached_tokens = 4, .completion_tokens = 5, .reasoning_tokens = 2};
  summary.timing = {.load = 1, .prompt = 2, .generation = 3, .total = 6};
  summary.seed = 42;
  return summary;
}

// Thoughts, text and a call.
inline std::vector<serve::ChatEvent> Everything() {
  return {{0, serve::ReasoningDelta{"Hm"}, {}},
          {0, serve::ReasoningDelta{"."}, {}},
          {0, serve::TextDelta{"I "}, {}},
          {0, serve::TextDelta{"look."}, {}},
          {0, serve::ToolCallStart{0, "call_1", "get_weather"}, {}},
          {0, serve::ToolCallArguments{0, "{\"city\":"}, {}},
          {0, serve::ToolCallArguments{0, "\"Paris\"}"}, {}},
          {0, serve::ToolCallEnd{0}, {}},
          {0, serve::AnswerEnd{serve::StopReason::kToolCalls, ""}, {}}};
}

inline std::vector<serve::ChatEvent> Words(const serve::AnswerEnd& end) {
  const serve::TokenDetail one{.id = 5, .text = "Hi", .log_prob = -0.5F, .top = {{5, "Hi", -0.5F}, {6, "\xC3", -1.0F}}};
  const serve::TokenDetail two{.id = 9, .text = " you", .log_prob = -0.25F};
  return {{0, serve::TextDelta{"Hi"}, {one}}, {0, serve::TextDelta{" you"}, {two}}, {0, end, {}}};
}

inline std::string Stream(serve::AnswerFormat& format, const std::vector<serve::ChatEvent>& events) {
  std::string out = format.Start(kHead);
  for (const serve::ChatEvent& event : events) out += format.Event(event);
  return out + format.End(ASummary());
}

inline json::value Whole(serve::AnswerFormat& format, const std::vector<serve::ChatEvent>& events) {
  serve::Answer answer;
  for (const serve::ChatEvent& event : events) answer.Add(event);
  return Parsed(format.Whole(kHead, answer, ASummary()));
}

// The field that an error names.
template <class T>
std::string RefusedField(const Result<T>& result) {
  return result ? "nothing was refused" : std::string(FieldOf(result.error().message));
}

}  // namespace bothy::api
