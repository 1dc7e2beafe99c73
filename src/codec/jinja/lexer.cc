#include "codec/jinja/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

// Line ends become \n, and one at the very end goes.
std::string Normalize(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
      continue;
    }
    out += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

bool IsDigitCharacter(char c) { return c >= '0' && c <= '9'; }

bool IsHexDigit(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return IsDigitCharacter(c) || (lower >= 'a' && lower <= 'f');
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(Normalize(source)) {}

  Result<std::vector<Token>> Run();

 private:
  Result<void> Comment();
  Result<void> Raw(size_t end_of_begin);
  Result<void> Code(TokenType end);
  Result<void> String();
  Result<void> Operator();
  void Number();

  std::string_view Rest() const { return std::string_view(source_).substr(at_); }
  bool StartsWith(std::string_view text) const { return Rest().starts_with(text); }
  size_t SkipSpace(size_t from) const;
  size_t SkipDigits(size_t from) const;
  size_t FindTag(size_t from) const;
  std::optional<size_t> MatchRawBegin(size_t at, char& sign) const;
  std::optional<size_t> MatchEnd(size_t at, std::string_view close) const;
  void Advance(size_t to);
  void EmitData(std::string_view text, char sign, bool is_variable);
  void Emit(TokenType type, std::string text) { tokens_.push_back({type, std::move(text), line_}); }
  tl::unexpected<Error> Failure(std::string_view message) const {
    return Fail(ErrorCode::kCorrupt, "line {}: {}", line_, message);
  }

  std::string source_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;  // what was read last ended a line
  std::string brackets_;       // the closing ones that are still to come
  std::vector<Token> tokens_;
};

size_t Lexer::SkipSpace(size_t from) const {
  while (from < source_.size()) {
    size_t next = from;
    if (!IsSpace(NextCodePoint(source_, next))) break;
    from = next;
  }
  return from;
}

// Digits with single underscores between them.
size_t Lexer::SkipDigits(size_t from) const {
  while (from < source_.size()) {
    if (IsDigitCharacter(source_[from])) {
      ++from;
    } else if (source_[from] == '_' && from + 1 < source_.size() && IsDigitCharacter(source_[from + 1])) {
      from += 2;
    } else {
      break;
    }
  }
  return from;
}

size_t Lexer::FindTag(size_t from) const {
  for (size_t i = source_.find('{', from); i != std::string::npos; i = source_.find('{', i + 1)) {
    if (i + 1 < source_.size() && (source_[i + 1] == '{' || source_[i + 1] == '%' || source_[i + 1] == '#')) return i;
  }
  return std::string::npos;
}

// {% raw %} with its signs; nothing where another tag is there. Gives the place behind it.
std::optional<size_t> Lexer::MatchRawBegin(size_t at, char& sign) const {
  const std::string_view text(source_);
  if (text.substr(at, 2) != "{%") return std::nullopt;
  size_t i = at + 2;
  sign = 0;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) sign = text[i++];
  i = SkipSpace(i);
  if (text.substr(i, 3) != "raw") return std::nullopt;
  i = SkipSpace(i + 3);
  if (text.substr(i, 3) == "-%}") return SkipSpace(i + 3);
  if (text.substr(i, 2) == "%}") return i + 2;
  return std::nullopt;
}

// The end of a block or comment and the white space that it takes: all behind "-", none behind "+", else one line end.
std::optional<size_t> Lexer::MatchEnd(size_t at, std::string_view close) const {
  const std::string_view text = std::string_view(source_).substr(at);
  if (text.starts_with('+') && text.substr(1).starts_with(close)) return at + 1 + close.size();
  if (text.starts_with('-') && text.substr(1).starts_with(close)) return SkipSpace(at + 1 + close.size());
  if (!text.starts_with(close)) return std::nullopt;
  const size_t end = at + close.size();
  return end < source_.size() && source_[end] == '\n' ? end + 1 : end;
}

void Lexer::Advance(size_t to) {
  line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                       source_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
  if (to > at_) line_starting_ = source_[to - 1] == '\n';
  at_ = to;
}

// The text before a tag, less what the tag's sign or lstrip_blocks takes from its end.
void Lexer::EmitData(std::string_view text, char sign, bool is_variable) {
  if (sign == '-') {
    text = Strip(text, nullptr, false, true);
  } else if (sign != '+' && !is_variable) {
    const size_t newline = text.rfind('\n');
    const size_t line = newline == std::string_view::npos ? 0 : newline + 1;
    if ((line > 0 || line_starting_) && Strip(text.substr(line), nullptr, true, false).empty()) {
      text = text.substr(0, line);
    }
  }
  if (!text.empty()) Emit(TokenType::kData, std::string(text));
}

Result<std::vector<Token>> Lexer::Run() {
  while (at_ < source_.size()) {
    const size_t tag = FindTag(at_);
    const std::string_view rest = Rest();
    if (tag == std::string::npos) {
      Emit(TokenType::kData, std::string(rest));
      break;
    }
    const std::string_view text = rest.substr(0, tag - at_);
    const char kind = source_[tag + 1];
    char sign = 0;
    if (const auto raw = MatchRawBegin(tag, sign)) {
      EmitData(text, sign, false);
      Advance(*raw);
      TRY(Raw(*raw));
      continue;
    }
    size_t inside = tag + 2;
    sign = inside < source_.size() && (source_[inside] == '-' || source_[inside] == '+') ? source_[inside++] : '\0';
    EmitData(text, sign, kind == '{');
    Advance(tag);
    if (kind == '#') {
      Advance(inside);
      TRY(Comment());
      continue;
    }
    Emit(kind == '{' ? TokenType::kVariableBegin : TokenType::kBlockBegin, "");
    Advance(inside);
    TRY(Code(kind == '{' ? TokenType::kVariableEnd : TokenType::kBlockEnd));
  }
  Emit(TokenType::kEnd, "");
  return std::move(tokens_);
}

Result<void> Lexer::Comment() {
  if (const size_t i = source_.find("#}", at_); i != std::string::npos) {
    // The sign before the end belongs to it, if it is not part of the opening.
    const bool sign = i > at_ && (source_[i - 1] == '-' || source_[i - 1] == '+');
    Advance(*MatchEnd(sign ? i - 1 : i, "#}"));
    return {};
  }
  if (at_ == source_.size()) return {};  // an opening at the very end is let pass, as the reference does
  return Failure("a comment is not closed with #}");
}

Result<void> Lexer::Raw(size_t end_of_begin) {
  for (size_t i = source_.find("{%", end_of_begin); i != std::string::npos; i = source_.find("{%", i + 1)) {
    size_t k = i + 2;
    char sign = 0;
    if (k < source_.size() && (source_[k] == '-' || source_[k] == '+')) sign = source_[k++];
    k = SkipSpace(k);
    if (std::string_view(source_).substr(k, 6) != "endraw") continue;
    const auto end = MatchEnd(SkipSpace(k + 6), "%}");
    if (!end) continue;
    EmitData(std::string_view(source_).substr(at_, i - at_), sign, false);
    Advance(*end);
    return {};
  }
  if (at_ == source_.size()) return {};
  return Failure("{% raw %} is not closed with {% endraw %}");
}

Result<void> Lexer::Code(TokenType end) {
  brackets_.clear();
  while (at_ < source_.size()) {
    if (brackets_.empty()) {
      std::optional<size_t> behind;
      if (end == TokenType::kBlockEnd) {
        behind = MatchEnd(at_, "%}");
      } else if (StartsWith("-}}")) {
        behind = SkipSpace(at_ + 3);
      } else if (StartsWith("}}")) {
        behind = at_ + 2;
      }
      if (behind) {
        Emit(end, "");
        Advance(*behind);
        return {};
      }
    }
    size_t next = at_;
    const char32_t c = NextCodePoint(source_, next);
    if (IsSpace(c)) {
      Advance(SkipSpace(at_));
    } else if (c < 0x80 && IsDigitCharacter(static_cast<char>(c))) {
      Number();
    } else if (IsIdentifierStart(c)) {
      for (size_t i = next; i < source_.size(); next = i) {
        if (!IsIdentifierPart(NextCodePoint(source_, i))) break;
      }
      Emit(TokenType::kName, source_.substr(at_, next - at_));
      Advance(next);
    } else if (c == '\'' || c == '"') {
      TRY(String());
    } else {
      TRY(Operator());
    }
  }
  return {};  // the parser notices what is missing
}

void Lexer::Number() {
  const std::string_view text(source_);
  const auto at = [&](size_t i) { return i < text.size() ? text[i] : '\0'; };
  const size_t whole = SkipDigits(at_);
  // A float, unless a dot stands before it: users.0.1 are two indices.
  if (at_ == 0 || text[at_ - 1] != '.') {
    size_t end = whole;
    bool is_float = false;
    if (at(end) == '.' && IsDigitCharacter(at(end + 1))) {
      end = SkipDigits(end + 1);
      is_float = true;
    }
    if ((at(end) | 0x20) == 'e') {
      const size_t sign = at(end + 1) == '+' || at(end + 1) == '-' ? 1 : 0;
      if (IsDigitCharacter(at(end + 1 + sign))) {
        end = SkipDigits(end + 1 + sign);
        is_float = true;
      }
    }
    if (is_float) {
      Emit(TokenType::kFloat, std::string(text.substr(at_, end - at_)));
      return Advance(end);
    }
  }
  size_t end = at_ + 1;
  if (text[at_] == '0') {
    const char mark = static_cast<char>(at(end) | 0x20);
    const auto digit = [&](char c) {
      return mark == 'x' ? IsHexDigit(c) : mark == 'o' ? c >= '0' && c <= '7' : mark == 'b' && (c == '0' || c == '1');
    };
    size_t i = end + 1;
    while (digit(at(i)) || (at(i) == '_' && digit(at(i + 1)))) ++i;
    if (i > end + 1) {
      end = i;
    } else {
      while (at(end) == '0' || (at(end) == '_' && at(end + 1) == '0')) ++end;
    }
  } else {
    end = whole;
  }
  Emit(TokenType::kInteger, std::string(text.substr(at_, end - at_)));
  Advance(end);
}

// \' \" \\ \n \x41 \u00e9 and so on, as Python has them. A backslash before anything else stays.
Result<std::string> Unescape(std::string_view raw) {
  constexpr std::pair<char, char> kSimple[] = {{'\\', '\\'}, {'\'', '\''}, {'"', '"'},  {'a', '\a'}, {'b', '\b'},
                                               {'f', '\f'},  {'n', '\n'},  {'r', '\r'}, {'t', '\t'}, {'v', '\v'}};
  std::string out;
  out.reserve(raw.size());
  for (size_t i = 0; i < raw.size();) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      out += raw[i++];
      continue;
    }
    const char c = raw[i + 1];
    const auto* simple =
        std::find_if(std::begin(kSimple), std::end(kSimple), [c](const auto& pair) { return pair.first == c; });
    if (simple != std::end(kSimple)) {
      out += simple->second;
      i += 2;
    } else if (c == '\n') {
      i += 2;  // a line that goes on
    } else if (c >= '0' && c <= '7') {
      char32_t value = 0;
      size_t k = i + 1;
      for (; k < raw.size() && k < i + 4 && raw[k] >= '0' && raw[k] <= '7'; ++k) {
        value = value * 8 + static_cast<char32_t>(raw[k] - '0');
      }
      AppendCodePoint(out, value);
      i = k;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      char32_t value = 0;
      for (size_t k = 0; k < digits; ++k) {
        const size_t at = i + 2 + k;
        if (at >= raw.size() || !IsHexDigit(raw[at])) {
          return Fail(ErrorCode::kCorrupt, "truncated \\{} escape in a string", c);
        }
        const char d = static_cast<char>(raw[at] | 0x20);
        value = value * 16 + static_cast<char32_t>(IsDigitCharacter(raw[at]) ? raw[at] - '0' : d - 'a' + 10);
      }
      if (value > 0x10FFFF) return Fail(ErrorCode::kCorrupt, "illegal Unicode character in a string");
      AppendCodePoint(out, value);
      i += 2 + digits;
    } else if (c == 'N') {
      return Fail(ErrorCode::kUnimplemented, "\\N{{...}} in a string is not supported");
    } else {
      out += '\\';
      ++i;
      // The reference escapes all but ASCII before it resolves escapes, so that a backslash before such a character
      // shows that escape.
      if (static_cast<unsigned char>(c) >= 0x80) {
        const char32_t wide = NextCodePoint(raw, i);
        out += wide < 0x100     ? fmt::format("x{:02x}", static_cast<uint32_t>(wide))
               : wide < 0x10000 ? fmt::format("u{:04x}", static_cast<uint32_t>(wide))
                                : fmt::format("U{:08x}", static_cast<uint32_t>(wide));
      } else {
        out += c;
        ++i;
      }
    }
  }
  return out;
}

Result<void> Lexer::String() {
  const char quote = source_[at_];
  for (size_t i = at_ + 1; i < source_.size(); ++i) {
    if (source_[i] == '\\') {
      ++i;
    } else if (source_[i] == quote) {
      auto value = Unescape(std::string_view(source_).substr(at_ + 1, i - at_ - 1));
      if (!value) return Fail(value.error().code, "line {}: {}", line_, value.error().message);
      Emit(TokenType::kString, std::move(*value));
      Advance(i + 1);
      return {};
    }
  }
  return Failure("a string is not closed");
}

Result<void> Lexer::Operator() {
  constexpr std::array<std::string_view, 26> kOperators = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                           "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                           ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
  const auto* found =
      std::find_if(kOperators.begin(), kOperators.end(), [this](std::string_view sign) { return StartsWith(sign); });
  if (found == kOperators.end()) {
    size_t next = at_;
    NextCodePoint(source_, next);
    return Failure(fmt::format("unexpected character '{}'", source_.substr(at_, next - at_)));
  }
  const char sign = (*found)[0];
  if (sign == '(' || sign == '[' || sign == '{') {
    brackets_ += sign == '(' ? ')' : sign == '[' ? ']' : '}';
  } else if (sign == ')' || sign == ']' || sign == '}') {
    if (brackets_.empty()) return Failure(fmt::format("unexpected '{}'", sign));
    if (brackets_.back() != sign) {
      return Failure(fmt::format("unexpected '{}', expected '{}'", sign, brackets_.back()));
    }
    brackets_.pop_back();
  }
  Emit(TokenType::kOperator, std::string(*found));
  Advance(at_ + found->size());
  return {};
}

}  // namespace

std::string Token::Describe() const {
  switch (type) {
    case TokenType::kData: return "text";
    case TokenType::kVariableBegin: return "{{";
    case TokenType::kVariableEnd: return "}}";
    case TokenType::kBlockBegin: return "{%";
    case TokenType::kBlockEnd: return "%}";
    case TokenType::kString: return "a string";
    case TokenType::kEnd: return "the end of the template";
    default: return text;
  }
}

Result<std::vector<Token>> Tokenize(std::string_view source) { return Lexer(source).Run(); }

}  // namespace bothy::jinja
