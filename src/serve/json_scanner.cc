#include "serve/json_scanner.h"

#include "codec/json.h"

namespace bothy::serve {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

JsonScanner::Outcome JsonScanner::Feed(char c) {
  switch (state_) {
    case State::kString:
    case State::kEscape:
    case State::kUnicode: return InString(c);
    case State::kNumber: return InNumber(c);
    case State::kLiteral:
      if (c != literal_.front()) return Outcome::kBroken;
      literal_.remove_prefix(1);
      return literal_.empty() ? EndValue() : Outcome::kMore;
    default: break;
  }
  if (IsBlank(c)) return Outcome::kMore;
  switch (state_) {
    case State::kFirstItem: return c == ']' ? Close(c) : BeginValue(c);
    case State::kFirstKey:
      if (c == '}') return Close(c);
      [[fallthrough]];
    case State::kKey:
      if (c != '"') return Outcome::kBroken;
      key_ = true;
      state_ = State::kString;
      return Outcome::kMore;
    case State::kColon:
      if (c != ':') return Outcome::kBroken;
      state_ = State::kValue;
      return Outcome::kMore;
    case State::kNext:
      if (c == ',') {
        state_ = open_.back() == '}' ? State::kKey : State::kValue;
        return Outcome::kMore;
      }
      return Close(c);
    default: return BeginValue(c);
  }
}

JsonScanner::Outcome JsonScanner::BeginValue(char c) {
  const auto literal = [&](std::string_view rest) {
    literal_ = rest;
    state_ = State::kLiteral;
    return Outcome::kMore;
  };
  const auto container = [&](char end, State first) {
    if (open_.size() >= json::kMaxDepth) return Outcome::kBroken;
    open_.push_back(end);
    state_ = first;
    return Outcome::kMore;
  };
  switch (c) {
    case '{': return container('}', State::kFirstKey);
    case '[': return container(']', State::kFirstItem);
    case '"':
      key_ = false;
      state_ = State::kString;
      return Outcome::kMore;
    case 't': return literal("rue");
    case 'f': return literal("alse");
    case 'n': return literal("ull");
    default: break;
  }
  if (c != '-' && !IsDigit(c)) return Outcome::kBroken;
  number_ = c == '-' ? Number::kSign : c == '0' ? Number::kZero : Number::kInteger;
  state_ = State::kNumber;
  return Outcome::kMore;
}

JsonScanner::Outcome JsonScanner::EndValue() {
  state_ = State::kNext;
  return open_.empty() ? Outcome::kEnd : Outcome::kMore;
}

JsonScanner::Outcome JsonScanner::Close(char c) {
  if (open_.empty() || c != open_.back()) return Outcome::kBroken;
  open_.pop_back();
  return EndValue();
}

JsonScanner::Outcome JsonScanner::InString(char c) {
  if (state_ == State::kEscape) {
    if (std::string_view("\"\\/bfnrtu").find(c) == std::string_view::npos) return Outcome::kBroken;
    state_ = c == 'u' ? State::kUnicode : State::kString;
    digits_ = 0;
    return Outcome::kMore;
  }
  if (state_ == State::kUnicode) {
    if (!IsHex(c)) return Outcome::kBroken;
    if (++digits_ == 4) state_ = State::kString;
    return Outcome::kMore;
  }
  if (static_cast<unsigned char>(c) < 0x20) return Outcome::kBroken;
  if (c == '\\') state_ = State::kEscape;
  if (c != '"') return Outcome::kMore;
  if (!key_) return EndValue();
  state_ = State::kColon;
  return Outcome::kMore;
}

JsonScanner::Outcome JsonScanner::InNumber(char c) {
  const auto go = [&](Number next) {
    number_ = next;
    return Outcome::kMore;
  };
  const bool exponent = c == 'e' || c == 'E';
  switch (number_) {
    case Number::kSign:
      if (c == '0') return go(Number::kZero);
      return IsDigit(c) ? go(Number::kInteger) : Outcome::kBroken;
    case Number::kInteger:
      if (IsDigit(c)) return Outcome::kMore;
      [[fallthrough]];
    case Number::kZero:
      if (c == '.') return go(Number::kPoint);
      if (exponent) return go(Number::kExponent);
      break;
    case Number::kPoint: return IsDigit(c) ? go(Number::kFraction) : Outcome::kBroken;
    case Number::kFraction:
      if (IsDigit(c)) return Outcome::kMore;
      if (exponent) return go(Number::kExponent);
      break;
    case Number::kExponent:
      if (c == '+' || c == '-') return go(Number::kExponentSign);
      [[fallthrough]];
    case Number::kExponentSign: return IsDigit(c) ? go(Number::kExponentDigits) : Outcome::kBroken;
    case Number::kExponentDigits:
      if (IsDigit(c)) return Outcome::kMore;
      break;
  }
  if (EndValue() == Outcome::kEnd) return Outcome::kEndBefore;
  return Feed(c);
}

}  // namespace bothy::serve
