#include "serve/tool_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bothy::serve {
namespace {

// What stands between names and arguments, and before names.
constexpr std::string_view kDecoration[] = {"<｜tool▁sep｜>", "[CALL_ID]", "[ARGS]", "```json", ">", "\n", ":"};

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view Stripped(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool BeginsAny(const std::vector<std::string>& markers, std::string_view text) {
  return std::ranges::any_of(markers, [&](const std::string& marker) { return marker.starts_with(text); });
}

bool IsAny(const std::vector<std::string>& markers, std::string_view text) {
  return std::ranges::find(markers, text) != markers.end();
}

}  // namespace

ToolCallReader::ToolCallReader(ToolSyntax syntax, std::vector<Tool> tools, bool several, std::string id_prefix)
    : syntax_(std::move(syntax)),
      tools_(std::move(tools)),
      several_(several),
      id_prefix_(std::move(id_prefix)),
      state_(syntax_.begins_open ? State::kOpen : State::kText) {}

const Tool* ToolCallReader::FindTool(std::string_view name) const {
  const auto found = std::ranges::find(tools_, name, &Tool::name);
  return found != tools_.end() ? &*found : nullptr;
}

// The first of the header's parts that is a tool's name; "" where none is.
std::string_view ToolCallReader::NameIn(std::string_view header) const {
  while (!header.empty()) {
    size_t end = header.size(), next = header.size();
    for (const std::string_view mark : kDecoration) {
      const size_t at = header.find(mark);
      if (at < end) {
        end = at;
        next = at + mark.size();
      }
    }
    const std::string_view name = Stripped(header.substr(0, end));
    if (FindTool(name) != nullptr) return name;
    header.remove_prefix(next);
  }
  return "";
}

void ToolCallReader::Feed(std::string_view piece, std::vector<ChatEvent::What>& out) {
  out_ = &out;
  for (const char c : piece) FeedByte(c);
}

void ToolCallReader::Finish(std::vector<ChatEvent::What>& out) {
  out_ = &out;
  if (state_ == State::kDone) return;
  if (in_call_) {
    EndCall(State::kDone);
    return;
  }
  if (state_ == State::kText) {
    if (!behind_call_) Show(std::exchange(blanks_, ""));
    Show(std::exchange(held_, ""));
  } else if (!behind_call_ || !Stripped(raw_).empty()) {
    GiveBack();
  }
  state_ = State::kDone;
}

void ToolCallReader::FeedByte(char c) {
  switch (state_) {
    case State::kText: return InText(c);
    case State::kDone: return;
    default: break;
  }
  raw_ += c;
  switch (state_) {
    case State::kOpen: return InOpen(c);
    case State::kHeader: return InHeader(c);
    case State::kArguments: return InArguments(c);
    case State::kObject: return InObject(c);
    case State::kList: return InList(c);
    default: return InXml(c);
  }
}

bool ToolCallReader::IsBareStart(char c) const {
  return syntax_.bare && c == '{' && (at_start_ || behind_call_) && held_.empty();
}

void ToolCallReader::InText(char c) {
  if (IsBareStart(c)) {
    raw_ = c;
    BeginObject();
    return;
  }
  held_ += c;
  for (;;) {
    if (held_.empty()) return;
    if (IsAny(syntax_.open, held_)) {
      raw_ = std::exchange(held_, "");
      header_.clear();
      state_ = State::kOpen;
      return;
    }
    if (behind_call_ && IsAny(syntax_.close, held_)) {
      held_.clear();
      blanks_.clear();
      return;
    }
    if (BeginsAny(syntax_.open, held_) || (behind_call_ && BeginsAny(syntax_.close, held_))) return;
    const char first = held_.front();
    held_.erase(0, 1);
    if (IsBlank(first)) {
      blanks_ += first;
      continue;
    }
    Show(std::exchange(blanks_, "") + first);
    at_start_ = behind_call_ = false;
  }
}

void ToolCallReader::InOpen(char c) {
  header_ += c;
  const std::string_view text = Stripped(header_);
  if (text.empty()) return;
  if (IsAny(syntax_.open, text)) {
    header_.clear();
    return;
  }
  if (BeginsAny(syntax_.open, text)) return;
  if (text.front() != '{' && text.front() != '[') {
    state_ = State::kHeader;
    CheckHeader();
    return;
  }
  const std::string rest(text.substr(1));  // looked like the beginning of a marker till now
  in_list_ = text.front() == '[';
  if (in_list_) {
    state_ = State::kList;
  } else {
    BeginObject();
  }
  for (const char next : rest) {
    if (state_ == State::kList) {
      InList(next);
    } else if (state_ == State::kObject) {
      InObject(next);
    }
  }
}

void ToolCallReader::InHeader(char c) {
  header_ += c;
  CheckHeader();
}

void ToolCallReader::CheckHeader() {
  const char last = header_.back();
  for (const std::string& marker : syntax_.open) {
    if (!header_.ends_with(marker)) continue;  // the call begins here, and what was before it is text
    raw_.resize(raw_.size() - marker.size());
    GiveBack();
    raw_ = marker;
    header_.clear();
    state_ = State::kOpen;
    return;
  }
  if (last == '\n' && !syntax_.text_recipient.empty() && Stripped(header_) == syntax_.text_recipient) {
    raw_.clear();
    state_ = State::kText;
    at_start_ = behind_call_ = false;
    return;
  }
  if (last == (syntax_.xml ? '>' : '{')) {
    header_.pop_back();
    const Tool* tool = FindTool(NameIn(header_));
    if (tool == nullptr) return GiveBack();
    BeginCall(tool->name);
    if (syntax_.xml) {
      xml_.Begin(tool->parameters);
      state_ = State::kXml;
    } else {
      scanner_.Reset();
      state_ = State::kArguments;
      InArguments(last);
    }
    return;
  }
  if (header_.size() > kMaxHeader) GiveBack();
}

void ToolCallReader::InArguments(char c) {
  const JsonScanner::Outcome outcome = scanner_.Feed(c);
  if (outcome == JsonScanner::Outcome::kBroken) return BreakCall(c);
  AddArguments({&c, 1});
  if (outcome != JsonScanner::Outcome::kMore) EndCall(State::kText);
}

void ToolCallReader::BeginObject() {
  object_ = ObjectCall();
  object_.Feed('{');
  state_ = State::kObject;
}

void ToolCallReader::InObject(char c) {
  const ObjectCall::Outcome outcome = object_.Feed(c);
  switch (outcome) {
    case ObjectCall::Outcome::kMore: return;
    case ObjectCall::Outcome::kName:
      if (FindTool(object_.name()) == nullptr) GiveBack();
      return;
    case ObjectCall::Outcome::kArguments:
    case ObjectCall::Outcome::kLast:
      if (!in_call_) BeginCall(object_.name());
      AddArguments({&c, 1});
      if (outcome == ObjectCall::Outcome::kLast) EndCall(State::kObject);
      return;
    case ObjectCall::Outcome::kDone:
      if (const auto arguments = object_.TakeArguments()) {
        BeginCall(object_.name());
        AddArguments(*arguments);
        EndCall(State::kText);
      }
      raw_.clear();
      if (state_ != State::kDone) state_ = in_list_ ? State::kList : State::kText;
      return;
    case ObjectCall::Outcome::kBroken: return in_call_ ? BreakCall(c) : GiveBack();
  }
}

void ToolCallReader::InList(char c) {
  if (IsBlank(c) || c == ',') return;
  if (c == '{') return BeginObject();
  if (c != ']' || calls_ == 0) return GiveBack();
  raw_.clear();
  in_list_ = false;
  state_ = State::kText;
}

void ToolCallReader::InXml(char c) {
  std::string text;
  const XmlCall::Outcome outcome = xml_.Feed(c, text);
  if (outcome == XmlCall::Outcome::kBroken) return BreakCall(c);
  if (!text.empty()) AddArguments(text);
  if (outcome == XmlCall::Outcome::kDone) EndCall(State::kText);
}

void ToolCallReader::Show(std::string_view text) {
  if (text.empty()) return;
  TextDelta* last = out_->empty() ? nullptr : std::get_if<TextDelta>(&out_->back());
  if (last != nullptr) {
    last->text += text;
  } else {
    out_->push_back(TextDelta{std::string(text)});
  }
}

void ToolCallReader::BeginCall(std::string_view name) {
  out_->push_back(ToolCallStart{calls_, fmt::format("{}{}", id_prefix_, calls_), std::string(name)});
  in_call_ = true;
  raw_.clear();
  blanks_.clear();
}

void ToolCallReader::AddArguments(std::string_view text) {
  ToolCallArguments* last = out_->empty() ? nullptr : std::get_if<ToolCallArguments>(&out_->back());
  if (last != nullptr) {
    last->text += text;
  } else {
    out_->push_back(ToolCallArguments{calls_, std::string(text)});
  }
  raw_.clear();
}

void ToolCallReader::EndCall(State next) {
  out_->push_back(ToolCallEnd{calls_++});
  in_call_ = at_start_ = false;
  behind_call_ = true;
  raw_.clear();
  state_ = several_ ? next : State::kDone;
}

void ToolCallReader::BreakCall(char c) {
  EndCall(State::kText);
  in_list_ = false;
  if (state_ == State::kText) InText(c);
}

void ToolCallReader::GiveBack() {
  Show(std::exchange(blanks_, "") + std::exchange(raw_, ""));
  at_start_ = behind_call_ = in_list_ = false;
  state_ = State::kText;
}

}  // namespace bothy::serve
