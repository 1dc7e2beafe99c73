#include <algorithm>
#include <optional>

#include "runtime/grammar/pattern.h"
#include "text/utf8.h"

namespace bothy {
namespace {

constexpr CodePointRange kDigits = {'0', '9'};

CodePointSet Words() { return {kDigits, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}}; }

CodePointSet Spaces() {  // WhiteSpace and LineTerminator of ECMA-262
  return {{0x09, 0x0D},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
          {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
}

CodePointSet AnyButLineEnds() { return CodePointSet{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}.Complement(); }

Pattern ClassOf(CodePointSet characters) {
  return {.kind = Pattern::Kind::kClass, .characters = std::move(characters), .parts = {}};
}

Pattern RepeatOf(Pattern part, uint32_t min, uint32_t max) {
  Pattern repeat = {.kind = Pattern::Kind::kRepeat, .characters = {}, .parts = {}, .min = min, .max = max};
  repeat.parts.push_back(std::move(part));
  return repeat;
}

class PatternParser {
 public:
  PatternParser(std::string_view text, PatternUse use) : text_(text), use_(use) {}

  Result<Pattern> Run() {
    if (text_.size() > kMaxPatternBytes) {
      return Fail(ErrorCode::kInvalidArgument, "a pattern of {} bytes, at most {} are read", text_.size(),
                  kMaxPatternBytes);
    }
    if (FindInvalidUtf8(text_) != std::string_view::npos) return Wrong("is not valid UTF-8");
    Pattern pattern = TRY(ReadChoice(0, true));
    if (!AtEnd()) return Wrong("has a \")\" too many");
    return pattern;
  }

 private:
  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  std::string_view Rest() const { return text_.substr(at_); }
  bool Take(std::string_view token) {
    if (!Rest().starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  tl::unexpected<Error> Wrong(std::string_view what) const {
    return Fail(ErrorCode::kInvalidArgument, "the pattern {} (at offset {})", what, at_);
  }

  // `outer`: an alternative is all that there is between the ends of the text, so that anchors have their place.
  Result<Pattern> ReadChoice(size_t depth, bool outer) {
    Pattern choice = {.kind = Pattern::Kind::kChoice, .characters = {}, .parts = {}};
    do choice.parts.push_back(TRY(ReadSequence(depth, outer)));
    while (Take("|"));
    return choice;
  }

  Result<Pattern> ReadSequence(size_t depth, bool outer) {
    Pattern sequence;
    bool open_begin = use_ == PatternUse::kSearch, open_end = open_begin, ended = false;
    for (bool first = true; !AtEnd() && Peek() != '|' && Peek() != ')'; first = false) {
      if (ended) return Wrong("has a \"$\" that is not at its end, which is not supported");
      if (Take("^")) {
        if (!outer || !first) return Wrong("has a \"^\" that is not at its beginning, which is not supported");
        open_begin = false;
      } else if (Take("$")) {
        if (!outer) return Wrong("has a \"$\" that is not at its end, which is not supported");
        open_end = false;
        ended = true;
      } else {
        // A group with nothing beside it may have the anchors.
        const size_t begin = at_;
        if (outer && first && Peek() == '(' && GroupIsAll()) {
          TRY(OpenGroup(depth));
          Pattern inside = TRY(ReadChoice(depth + 1, true));
          at_++;
          return inside;
        }
        at_ = begin;
        sequence.parts.push_back(TRY(ReadPart(depth)));
      }
    }
    if (!outer) return sequence;
    const auto anything = [] { return RepeatOf(ClassOf(CodePointSet::All()), 0, Grammar::kUnbounded); };
    if (open_begin) sequence.parts.insert(sequence.parts.begin(), anything());
    if (open_end) sequence.parts.push_back(anything());
    return sequence;
  }

  // Whether the group that opens here closes at the end of the alternative.
  bool GroupIsAll() const {
    size_t open = 0;
    bool in_class = false;
    for (size_t i = at_; i < text_.size(); i++) {
      const char c = text_[i];
      if (c == '\\') {
        i++;
      } else if (in_class) {
        in_class = c != ']';
      } else if (c == '[') {
        in_class = true;
      } else if (c == '(') {
        open++;
      } else if (c == ')' && --open == 0) {
        return i + 1 == text_.size() || text_[i + 1] == '|' || text_[i + 1] == ')';
      }
    }
    return false;
  }

  Result<void> OpenGroup(size_t depth) {
    if (depth >= kMaxPatternDepth) return Wrong("has too many groups in each other");
    at_++;
    if (!Take("?") || Take(":")) return {};
    if (Rest().starts_with("=") || Rest().starts_with("!")) return Wrong("looks ahead, which is not supported");
    if (Rest().starts_with("<=") || Rest().starts_with("<!")) return Wrong("looks behind, which is not supported");
    if (!Take("<")) return Wrong("has a group of a kind that is not supported");
    const size_t end = Rest().find('>');
    if (end == 0 || end == std::string_view::npos) return Wrong("has a group without a name");
    at_ += end + 1;
    return {};
  }

  Result<Pattern> ReadPart(size_t depth) {
    Pattern part;
    if (Peek() == '(') {
      TRY(OpenGroup(depth));
      part = TRY(ReadChoice(depth + 1, false));
      if (!Take(")")) return Wrong("has a group without an end");
    } else if (Take(".")) {
      part = ClassOf(AnyButLineEnds());
    } else if (Take("[")) {
      part = ClassOf(TRY(ReadClass()));
    } else if (Peek() == '*' || Peek() == '+' || Peek() == '?' || ReadCounts()) {
      return Wrong("repeats nothing");
    } else if (Peek() == '\\') {
      at_++;
      part = ClassOf(TRY(ReadEscape(false)));
    } else {
      const Utf8Char c = ReadUtf8(text_.data() + at_);
      at_ += c.size;
      part = ClassOf({{c.code, c.code}});
    }
    return ReadQuantifier(std::move(part));
  }

  Result<Pattern> ReadQuantifier(Pattern part) {
    if (Take("*")) {
      part = RepeatOf(std::move(part), 0, Grammar::kUnbounded);
    } else if (Take("+")) {
      part = RepeatOf(std::move(part), 1, Grammar::kUnbounded);
    } else if (Take("?")) {
      part = RepeatOf(std::move(part), 0, 1);
    } else if (const auto counts = ReadCounts()) {
      if (counts->first > counts->second) return Wrong("has a count whose end is before its beginning");
      if (counts->first >= Grammar::kUnbounded) return Wrong("has a count that is too large");
      part = RepeatOf(std::move(part), counts->first, counts->second);
    } else {
      return part;
    }
    Take("?");  // matches the same texts, only in another order
    return part;
  }

  // {m}, {m,} or {m,n}; a brace that opens none of these stands for itself. Counts beyond what is counted are
  // unbounded.
  std::optional<std::pair<uint32_t, uint32_t>> ReadCounts() {
    const size_t begin = at_;
    const auto number = [&]() -> std::optional<uint32_t> {
      const size_t first = at_;
      uint64_t value = 0;
      for (; Peek() >= '0' && Peek() <= '9'; at_++) {
        value = std::min<uint64_t>(value * 10 + static_cast<uint64_t>(Peek() - '0'), Grammar::kUnbounded);
      }
      if (at_ == first) return std::nullopt;
      return static_cast<uint32_t>(value);
    };
    if (Take("{")) {
      if (const auto min = number()) {
        if (Take("}")) return std::pair(*min, *min);
        if (Take(",")) {
          if (Take("}")) return std::pair(*min, Grammar::kUnbounded);
          const auto max = number();
          if (max && Take("}")) return std::pair(*min, *max);
        }
      }
    }
    at_ = begin;
    return std::nullopt;
  }

  std::optional<char32_t> ReadHex(size_t digits) {
    const std::string_view text = Rest().substr(0, digits);
    char32_t code = 0;
    for (const char c : text) {
      const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!letter && (c < '0' || c > '9')) return std::nullopt;
      code = code * 16 + static_cast<char32_t>(letter ? (c | 0x20) - 'a' + 10 : c - '0');
    }
    if (text.empty() || text.size() < digits) return std::nullopt;
    at_ += digits;
    return code;
  }

  Result<char32_t> ReadUnicodeEscape() {
    std::optional<char32_t> code;
    if (Take("{")) {
      const size_t digits = Rest().find('}');
      if (digits <= 6) code = ReadHex(digits);
      if (code) at_++;
    } else {
      code = ReadHex(4);
      if (code && *code >= 0xD800 && *code <= 0xDBFF && Take("\\u")) {
        const auto low = ReadHex(4);
        if (low && *low >= 0xDC00 && *low <= 0xDFFF) code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
      }
    }
    if (!code || *code > CodePointSet::kLast || (*code >= 0xD800 && *code <= 0xDFFF)) {
      return Wrong("has a \\u that is no character");
    }
    return *code;
  }

  // Behind a backslash.
  Result<CodePointSet> ReadEscape(bool in_class) {
    if (AtEnd()) return Wrong("ends with a backslash");
    const char c = Peek();
    const auto one = [](char32_t code) { return CodePointSet{{code, code}}; };
    at_++;
    switch (c) {
      case 'd': return CodePointSet{kDigits};
      case 'D': return CodePointSet{kDigits}.Complement();
      case 'w': return Words();
      case 'W': return Words().Complement();
      case 's': return Spaces();
      case 'S': return Spaces().Complement();
      case 't': return one('\t');
      case 'n': return one('\n');
      case 'r': return one('\r');
      case 'v': return one('\v');
      case 'f': return one('\f');
      case '0':
        if (Peek() < '0' || Peek() > '9') return one(0);
        break;
      case 'c':
        if ((Peek() | 0x20) >= 'a' && (Peek() | 0x20) <= 'z') return one(static_cast<char32_t>(text_[at_++] & 0x1F));
        break;
      case 'x':
        if (const auto code = ReadHex(2)) return one(*code);
        return Wrong("has a \\x without two digits");
      case 'u': return one(TRY(ReadUnicodeEscape()));
      case 'b':
        if (in_class) return one('\b');
        return Wrong("has a \\b, which is not supported");
      case 'B': return Wrong("has a \\B, which is not supported");
      case 'p':
      case 'P': return Wrong("names a property of characters (\\p), which is not supported");
      case 'k': return Wrong("refers back to a group, which is not supported");
      default:
        if (c >= '1' && c <= '9') return Wrong("refers back to a group, which is not supported");
        // Whatever else is no letter and no digit stands for itself.
        if (static_cast<uint8_t>(c) < 0x80 && !Words().Contains(static_cast<char32_t>(c))) {
          return one(static_cast<char32_t>(c));
        }
    }
    at_--;
    return Wrong("has an escape that is not known");
  }

  Result<CodePointSet> ReadClass() {
    const bool negated = Take("^");
    CodePointSet characters;
    while (!Take("]")) {
      if (AtEnd()) return Wrong("has a class without an end");
      const CodePointSet first = TRY(ReadClassMember());
      // A range, unless one side is more than a character.
      if (Peek() == '-' && !Rest().starts_with("-]") && IsOne(first)) {
        at_++;
        const CodePointSet last = TRY(ReadClassMember());
        if (!IsOne(last)) return Wrong("has a range to more than one character");
        if (last.ranges()[0].first < first.ranges()[0].first)
          return Wrong("has a range whose end is before its beginning");
        characters.Add(first.ranges()[0].first, last.ranges()[0].first);
      } else {
        characters.Add(first);
      }
    }
    return negated ? characters.Complement() : characters;
  }

  static bool IsOne(const CodePointSet& set) {
    return set.ranges().size() == 1 && set.ranges()[0].first == set.ranges()[0].last;
  }

  Result<CodePointSet> ReadClassMember() {
    if (AtEnd()) return Wrong("has a class without an end");
    if (Take("\\")) return ReadEscape(true);
    const Utf8Char c = ReadUtf8(text_.data() + at_);
    at_ += c.size;
    return CodePointSet{{c.code, c.code}};
  }

  std::string_view text_;
  PatternUse use_;
  size_t at_ = 0;
};

}  // namespace

Result<Pattern> ParsePattern(std::string_view text, PatternUse use) { return PatternParser(text, use).Run(); }

}  // namespace bothy
