#include "runtime/grammar/gbnf.h"

#include <algorithm>
#include <map>
#include <optional>

#include "text/utf8.h"

namespace bothy {
namespace {

using Node = Grammar::Node;
using Rule = Grammar::Rule;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class GbnfParser {
 public:
  explicit GbnfParser(std::string_view text) : text_(text) {}

  Result<Grammar> Run() {
    if (text_.size() > kMaxGbnfBytes) {
      return Fail(ErrorCode::kResourceExhausted, "a grammar of {} bytes, at most {} are read", text_.size(),
                  kMaxGbnfBytes);
    }
    if (FindInvalidUtf8(text_) != std::string_view::npos) {
      return Fail(ErrorCode::kInvalidArgument, "the grammar is not valid UTF-8");
    }
    for (SkipSpace(true); !AtEnd(); SkipSpace(true)) TRY(ReadRule());
    for (const auto& [name, used] : first_use_) {
      if (!grammar_.IsDefined(rules_.find(name)->second)) {
        at_ = used;
        return Wrong("a rule \"{}\", which is used here and nowhere defined", name);
      }
    }
    const auto root = rules_.find("root");
    if (root == rules_.end()) return Fail(ErrorCode::kInvalidArgument, "the grammar has no rule \"root\"");
    grammar_.SetRoot(root->second);
    TRY(grammar_.Check());
    return std::move(grammar_);
  }

 private:
  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  bool Take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  void SkipSpace(bool newlines) {
    while (!AtEnd()) {
      const char c = Peek();
      if (c == '#') {
        at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
      } else if (c == ' ' || c == '\t' || (newlines && (c == '\r' || c == '\n'))) {
        at_++;
      } else {
        return;
      }
    }
  }

  template <class... Args>
  tl::unexpected<Error> Wrong(fmt::format_string<Args...> expected, Args&&... args) const {
    const auto line = 1 + std::ranges::count(text_.substr(0, at_), '\n');
    std::string found = "the end";
    if (!AtEnd()) found = "\"" + std::string(text_.substr(at_, text_.substr(at_, 16).find_first_of("\r\n"))) + "\"";
    // What is shown must not end within a character.
    std::string shown;
    AppendRepairedUtf8(shown, found);
    return Fail(ErrorCode::kInvalidArgument, "grammar, line {}: expected {}, found {}", line,
                fmt::format(expected, std::forward<Args>(args)...), shown);
  }

  Result<std::string> ReadName() {
    const size_t begin = at_;
    while (IsNameCharacter(Peek())) at_++;
    if (begin == at_) return Wrong("the name of a rule");
    return std::string(text_.substr(begin, at_ - begin));
  }

  Rule RuleOf(const std::string& name) {
    const auto found = rules_.find(name);
    return found != rules_.end() ? found->second : rules_.emplace(name, grammar_.Declare(name)).first->second;
  }

  Result<void> ReadRule() {
    const size_t begin = at_;
    const std::string name = TRY(ReadName());
    SkipSpace(false);
    if (!Take("::=")) return Wrong("\"::=\"");
    SkipSpace(true);
    const Rule rule = RuleOf(name);
    if (grammar_.IsDefined(rule)) {
      at_ = begin;
      return Wrong("one definition of \"{}\"", name);
    }
    grammar_.Define(rule, TRY(ReadChoice(0)));
    if (!AtEnd() && Peek() != '\n' && Peek() != '\r' && !AtRule()) return Wrong("a part of the rule or its end");
    return grammar_.Check();
  }

  // Whether another rule begins here, at the beginning of a line.
  bool AtRule() const {
    const size_t before = at_ > 0 ? text_.find_last_not_of(" \t", at_ - 1) : std::string_view::npos;
    if (before != std::string_view::npos && text_[before] != '\n' && text_[before] != '\r') return false;
    size_t end = at_;
    while (end < text_.size() && IsNameCharacter(text_[end])) end++;
    end = std::min(text_.find_first_not_of(" \t", end), text_.size());
    return text_.substr(end).starts_with("::=");
  }

  // Up to the end of the line, or of the parentheses where `depth` > 0.
  Result<Node> ReadChoice(size_t depth) {
    std::vector<Node> alternatives;
    do {
      SkipSpace(true);
      alternatives.push_back(TRY(ReadSequence(depth)));
    } while (Take("|"));
    return grammar_.Choice(std::move(alternatives));
  }

  Result<Node> ReadSequence(size_t depth) {
    std::vector<Node> parts;
    while (true) {
      SkipSpace(depth > 0);
      const std::optional<Node> part = TRY(ReadPart(depth));
      if (!part) break;
      parts.push_back(TRY(ReadRepetitions(*part, depth)));
      TRY(grammar_.Check());
    }
    if (parts.empty()) return grammar_.Empty();
    return grammar_.Sequence(std::move(parts));
  }

  Result<std::optional<Node>> ReadPart(size_t depth) {
    if (Take("\"")) return TRY(ReadLiteral());
    if (Take("[")) return TRY(ReadClass());
    if (Take(".")) return grammar_.Class(CodePointSet::All());
    if (Take("(")) {
      if (depth >= kMaxGbnfDepth) {
        return Fail(ErrorCode::kResourceExhausted, "a grammar with more than {} parentheses in each other",
                    kMaxGbnfDepth);
      }
      const Node inside = TRY(ReadChoice(depth + 1));
      if (!Take(")")) return Wrong("\")\"");
      return inside;
    }
    if (Peek() == '<') return Wrong("a part of a rule (tokens in grammars are not supported)");
    if (!IsNameCharacter(Peek()) || AtRule()) return std::nullopt;
    const size_t begin = at_;
    const std::string name = TRY(ReadName());
    first_use_.try_emplace(name, begin);
    return grammar_.Reference(RuleOf(name));
  }

  Result<char32_t> ReadHex(size_t digits) {
    char32_t code = 0;
    for (size_t i = 0; i < digits; i++, at_++) {
      const char c = Peek();
      const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!letter && (c < '0' || c > '9')) return Wrong("{} hexadecimal digits", digits);
      code = code * 16 + static_cast<char32_t>(letter ? (c | 0x20) - 'a' + 10 : c - '0');
    }
    if (code > CodePointSet::kLast || (code >= 0xD800 && code <= 0xDFFF)) return Wrong("the number of a character");
    return code;
  }

  Result<char32_t> ReadCharacter() {
    if (AtEnd()) return Wrong("a character");
    if (!Take("\\")) {
      const Utf8Char c = ReadUtf8(text_.data() + at_);
      at_ += c.size;
      return c.code;
    }
    const char c = Peek();
    if (c == '\0') return Wrong("an escape");
    at_++;
    switch (c) {
      case 'x': return ReadHex(2);
      case 'u': return ReadHex(4);
      case 'U': return ReadHex(8);
      case 'n': return U'\n';
      case 'r': return U'\r';
      case 't': return U'\t';
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '/': return static_cast<char32_t>(c);
      default: at_--; return Wrong("one of the escapes that there are");
    }
  }

  Result<Node> ReadLiteral() {
    std::string literal;
    while (!Take("\"")) {
      if (AtEnd()) return Wrong("the end of the literal");
      AppendUtf8(literal, TRY(ReadCharacter()));
    }
    return grammar_.Literal(literal);
  }

  Result<Node> ReadClass() {
    const bool negated = Take("^");
    CodePointSet characters;
    while (!Take("]")) {
      if (AtEnd()) return Wrong("the end of the class");
      const char32_t first = TRY(ReadCharacter());
      char32_t last = first;
      if (Peek() == '-' && !text_.substr(at_).starts_with("-]")) {
        at_++;
        last = TRY(ReadCharacter());
        if (last < first) return Wrong("a range whose end is not before its beginning");
      }
      characters.Add(first, last);
      if (characters.ranges().size() > Grammar::kMaxClassRanges) return Wrong("fewer ranges in a class");
    }
    return grammar_.Class(negated ? characters.Complement() : characters);
  }

  Result<uint32_t> ReadCount() {
    const size_t begin = at_;
    uint64_t count = 0;
    for (; Peek() >= '0' && Peek() <= '9'; at_++) {
      count = count * 10 + static_cast<uint64_t>(Peek() - '0');
      if (count >= Grammar::kUnbounded) return Wrong("a count below {}", Grammar::kUnbounded);
    }
    if (begin == at_) return Wrong("a count");
    return static_cast<uint32_t>(count);
  }

  Result<Node> ReadRepetitions(Node part, size_t depth) {
    while (true) {
      SkipSpace(depth > 0);
      if (Take("*")) {
        part = grammar_.Repeat(part, 0, Grammar::kUnbounded);
      } else if (Take("+")) {
        part = grammar_.Repeat(part, 1, Grammar::kUnbounded);
      } else if (Take("?")) {
        part = grammar_.Optional(part);
      } else if (Take("{")) {
        SkipSpace(false);
        const uint32_t min = TRY(ReadCount());
        uint32_t max = min;
        SkipSpace(false);
        if (Take(",")) {
          SkipSpace(false);
          max = Peek() == '}' ? Grammar::kUnbounded : TRY(ReadCount());
          SkipSpace(false);
        }
        if (Peek() != '}') return Wrong("\"}}\"");
        if (max < min) return Wrong("a repetition whose end is not before its beginning");
        at_++;
        part = grammar_.Repeat(part, min, max);
      } else {
        return part;
      }
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  Grammar grammar_;
  std::map<std::string, Rule, std::less<>> rules_;
  std::map<std::string, size_t, std::less<>> first_use_;
};

}  // namespace

Result<Grammar> ParseGbnf(std::string_view text) { return GbnfParser(text).Run(); }

}  // namespace bothy
