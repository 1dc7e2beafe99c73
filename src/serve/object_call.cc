#include "serve/object_call.h"

#include "codec/json.h"

namespace bothy::serve {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// A JSON object's text, of an object, a string that holds one, or null.
std::optional<std::string> AsArguments(std::string_view text) {
  if (text.starts_with('{')) return std::string(text);
  const auto value = json::Parse(text, "arguments");
  if (!value) return std::nullopt;
  if (value->is_null()) return "{}";
  if (!value->is_string()) return std::nullopt;
  const std::string inner(value->get_string());
  const auto parsed = json::Parse(inner, "arguments");
  if (!parsed || !parsed->is_object()) return std::nullopt;
  return inner;
}

}  // namespace

std::optional<std::string> ObjectCall::TakeArguments() {
  if (passed_) return std::nullopt;
  return std::move(arguments_).value_or("{}");
}

ObjectCall::Outcome ObjectCall::EndMember() {
  state_ = State::kNext;
  if (member_ == Member::kArguments) {
    arguments_ = AsArguments(text_);
    return arguments_ ? Outcome::kMore : Outcome::kBroken;
  }
  if (member_ == Member::kOther) return Outcome::kMore;
  const auto value = json::Parse(text_, "name");
  if (!value || !value->is_string()) return Outcome::kBroken;
  name_ = std::string(value->get_string());
  return name_.empty() ? Outcome::kBroken : Outcome::kName;
}

ObjectCall::Outcome ObjectCall::FeedValue(char c) {
  const bool begins = !scanner_.begun();
  const JsonScanner::Outcome outcome = scanner_.Feed(c);
  if (outcome == JsonScanner::Outcome::kBroken) return Outcome::kBroken;
  if (begins && !scanner_.begun()) return Outcome::kMore;  // a blank before it
  if (begins && member_ == Member::kArguments && !name_.empty() && c == '{') passing_ = passed_ = true;
  if (passing_) {
    if (outcome == JsonScanner::Outcome::kMore) return Outcome::kArguments;
    passing_ = false;
    state_ = State::kNext;
    return Outcome::kLast;
  }
  if (member_ != Member::kOther && outcome != JsonScanner::Outcome::kEndBefore) text_ += c;
  if (outcome == JsonScanner::Outcome::kMore) return Outcome::kMore;
  const Outcome ended = EndMember();
  // Only a number ends before a byte, and neither names nor arguments are numbers.
  return outcome == JsonScanner::Outcome::kEndBefore && ended == Outcome::kMore ? Feed(c) : ended;
}

ObjectCall::Outcome ObjectCall::Feed(char c) {
  if (state_ == State::kValue) return FeedValue(c);
  if (state_ == State::kKey && scanner_.begun()) {
    text_ += c;
    const JsonScanner::Outcome outcome = scanner_.Feed(c);
    if (outcome == JsonScanner::Outcome::kMore) return Outcome::kMore;
    if (outcome != JsonScanner::Outcome::kEnd) return Outcome::kBroken;
    if (text_ == "\"name\"" || text_ == "\"tool_name\"") {
      if (!name_.empty()) return Outcome::kBroken;
      member_ = Member::kName;
    } else if (text_ == "\"arguments\"" || text_ == "\"parameters\"") {
      if (passed_ || arguments_) return Outcome::kBroken;
      member_ = Member::kArguments;
    } else if (text_ == "\"id\"" || text_ == "\"tool_call_id\"" || text_ == "\"type\"") {
      member_ = Member::kOther;
    } else {
      return Outcome::kBroken;
    }
    state_ = State::kColon;
    return Outcome::kMore;
  }
  if (IsBlank(c)) return Outcome::kMore;
  switch (state_) {
    case State::kOpen: state_ = State::kFirstKey; return c == '{' ? Outcome::kMore : Outcome::kBroken;
    case State::kColon:
      text_.clear();
      scanner_.Reset();
      state_ = State::kValue;
      return c == ':' ? Outcome::kMore : Outcome::kBroken;
    case State::kNext:
      if (c == ',') {
        state_ = State::kKey;
        scanner_.Reset();
        return Outcome::kMore;
      }
      return c == '}' && !name_.empty() ? Outcome::kDone : Outcome::kBroken;
    default: break;
  }
  if (c != '"') return Outcome::kBroken;  // {} is no call
  state_ = State::kKey;
  scanner_.Reset();
  text_ = c;
  scanner_.Feed(c);
  return Outcome::kMore;
}

}  // namespace bothy::serve
