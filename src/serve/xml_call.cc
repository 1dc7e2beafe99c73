#include "serve/xml_call.h"

#include <algorithm>

namespace bothy::serve {
namespace {

constexpr std::string_view kParameter = "<parameter=", kEndParameter = "</parameter>", kEndFunction = "</function>";

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string Quote(std::string_view text) { return json::Serialize(json::value(json::string(text))); }

}  // namespace

void XmlCall::Begin(const json::object& parameters) {
  *this = XmlCall();
  parameters_ = &parameters;
}

// Whether the schema takes nothing but text.
bool XmlCall::IsText() const {
  const json::object* properties = json::FindObject(*parameters_, "properties");
  const json::object* property = properties != nullptr ? json::FindObject(*properties, key_) : nullptr;
  if (property == nullptr) return true;
  const json::value* type = property->if_contains("type");
  if (type != nullptr) return type->is_string() && type->get_string() == "string";
  const json::array* values = json::FindArray(*property, "enum");
  return values != nullptr && std::ranges::all_of(*values, [](const json::value& v) { return v.is_string(); });
}

void XmlCall::AddValue(std::string_view text, std::string& out) {
  if (text.starts_with('\n')) text.remove_prefix(1);
  if (text.ends_with('\n')) text.remove_suffix(1);
  out += (first_ ? "{" : ", ") + Quote(key_) + ": ";
  first_ = false;
  const bool json = !IsText() && json::Parse(text, key_);
  out += json ? std::string(text) : Quote(text);
}

XmlCall::Outcome XmlCall::Feed(char c, std::string& out) {
  if (state_ == State::kBetween && text_.empty() && IsBlank(c)) return Outcome::kMore;
  text_ += c;
  switch (state_) {
    case State::kBetween:
      if (text_ == kParameter) {
        text_.clear();
        state_ = State::kKey;
      } else if (text_ == kEndFunction) {
        out += first_ ? "{}" : "}";
        return Outcome::kDone;
      } else if (!kParameter.starts_with(text_) && !kEndFunction.starts_with(text_)) {
        return Outcome::kBroken;
      }
      return Outcome::kMore;
    case State::kKey:
      if (c == '>') {
        text_.pop_back();
        key_ = std::move(text_);
        text_.clear();
        state_ = State::kValue;
      }
      return text_.size() <= kMaxKey ? Outcome::kMore : Outcome::kBroken;
    case State::kValue:
      if (c == '>' && text_.ends_with(kEndParameter)) {
        AddValue(std::string_view(text_).substr(0, text_.size() - kEndParameter.size()), out);
        text_.clear();
        state_ = State::kBetween;
      }
      return Outcome::kMore;
  }
  return Outcome::kBroken;
}

}  // namespace bothy::serve
