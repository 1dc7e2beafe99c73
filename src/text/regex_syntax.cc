#include "text/regex_syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

#include "text/unicode_additions.h"
#include "text/utf8.h"

namespace bothy {
namespace {

constexpr int kMaxNesting = 32;  // of classes

// Members of classes, without the brackets. \s is the property White_Space; \w is letters, marks, numbers and what
// joins them, with the circled letters, which are alphabetic symbols.
constexpr std::string_view kSpaces =
    R"(\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
constexpr std::string_view kCircledLetters =
    R"(\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189})";

struct Name {
  std::string_view name, value;
};
// Long names of general categories, spelled without case, spaces and underscores.
constexpr std::array kCategories = {
    Name{"letter", "L"},
    Name{"casedletter", "L&"},
    Name{"uppercaseletter", "Lu"},
    Name{"lowercaseletter", "Ll"},
    Name{"titlecaseletter", "Lt"},
    Name{"modifierletter", "Lm"},
    Name{"otherletter", "Lo"},
    Name{"mark", "M"},
    Name{"combiningmark", "M"},
    Name{"nonspacingmark", "Mn"},
    Name{"spacingmark", "Mc"},
    Name{"enclosingmark", "Me"},
    Name{"number", "N"},
    Name{"decimalnumber", "Nd"},
    Name{"letternumber", "Nl"},
    Name{"othernumber", "No"},
    Name{"punctuation", "P"},
    Name{"connectorpunctuation", "Pc"},
    Name{"dashpunctuation", "Pd"},
    Name{"openpunctuation", "Ps"},
    Name{"closepunctuation", "Pe"},
    Name{"initialpunctuation", "Pi"},
    Name{"finalpunctuation", "Pf"},
    Name{"otherpunctuation", "Po"},
    Name{"symbol", "S"},
    Name{"mathsymbol", "Sm"},
    Name{"currencysymbol", "Sc"},
    Name{"modifiersymbol", "Sk"},
    Name{"othersymbol", "So"},
    Name{"separator", "Z"},
    Name{"spaceseparator", "Zs"},
    Name{"lineseparator", "Zl"},
    Name{"paragraphseparator", "Zp"},
    Name{"other", "C"},
    Name{"control", "Cc"},
    Name{"format", "Cf"},
    Name{"unassigned", "Cn"},
    Name{"privateuse", "Co"},
    Name{"surrogate", "Cs"},
    Name{"digit", "Nd"},
    Name{"cntrl", "Cc"},
    Name{"upper", "Uppercase"},
    Name{"lower", "Lowercase"},
    Name{"alpha", "Alphabetic"},
};
// Properties that are neither categories nor scripts; their names pass unchanged.
constexpr std::array<std::string_view, 14> kProperties = {"any",
                                                          "alphabetic",
                                                          "uppercase",
                                                          "lowercase",
                                                          "ideographic",
                                                          "emoji",
                                                          "emojipresentation",
                                                          "emojimodifier",
                                                          "whitespace",
                                                          "math",
                                                          "extendedpictographic",
                                                          "defaultignorablecodepoint",
                                                          "hexdigit",
                                                          "cased"};

std::string Simplified(std::string_view name) {
  std::string simple;
  for (const char c : name) {
    if (c != ' ' && c != '_' && c != '-') simple.push_back(static_cast<char>(std::tolower(static_cast<uint8_t>(c))));
  }
  return simple;
}

std::string_view Code(Category category) {
  constexpr std::string_view kCodes = "CnLuLlLtLmLoMnMcMeNdNlNoPcPdPsPePiPfPoSmScSkSoZsZlZpCcCfCsCo";
  return kCodes.substr(2 * static_cast<size_t>(category), 2);
}

// A general category with the characters of it that PCRE2 may not know yet.
std::string CategoryMembers(std::string_view category) {
  std::string members = fmt::format("\\p{{{}}}", category);
  for (const auto& range : internal::kNewCharacters) {
    const std::string_view code = Code(range.category);
    const bool cased = category == "L&" && (code == "Lu" || code == "Ll" || code == "Lt");
    if (!cased && !code.starts_with(category)) continue;
    members += fmt::format("\\x{{{:X}}}", static_cast<uint32_t>(range.first));
    if (range.last > range.first) members += fmt::format("-\\x{{{:X}}}", static_cast<uint32_t>(range.last));
  }
  return members;
}

std::string WordMembers() {
  return CategoryMembers("L") + CategoryMembers("M") + CategoryMembers("Nd") + "\\p{Nl}\\p{Pc}" +
         std::string(kCircledLetters);
}

class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  Result<std::string> Run() {
    std::string out;
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '\\') {
        const Escape escape = TRY(ReadEscape());
        out += escape.is_class ? Bracketed(escape.text, escape.negated) : escape.text;
      } else if (c == '[') {
        at_++;
        out += TRY(ReadClass(0));
      } else if (c == '{' && pattern_.substr(at_, 2) == "{,") {  // {,n} is {0,n}
        out += "{0";
        at_++;
      } else {
        out.push_back(c);
        at_++;
      }
    }
    return out;
  }

 private:
  // What a backslash stands for: text for PCRE2, or members of a class.
  struct Escape {
    std::string text;
    bool is_class = false, negated = false;
  };

  tl::unexpected<Error> Broken(size_t offset, std::string_view what) const {
    return Fail(ErrorCode::kCorrupt, "offset {}: {}", offset, what);
  }

  static std::string Bracketed(std::string_view members, bool negated) {
    return fmt::format("[{}{}]", negated ? "^" : "", members);
  }

  // A \ and what belongs to it.
  Result<Escape> ReadEscape() {
    const size_t begin = at_++;
    if (at_ >= pattern_.size()) return Broken(begin, "\\ at the end");
    const char c = pattern_[at_++];
    switch (c) {
      case 's':
      case 'S': return Escape{std::string(kSpaces), true, c == 'S'};
      case 'w':
      case 'W': return Escape{WordMembers(), true, c == 'W'};
      case 'd':
      case 'D': return Escape{CategoryMembers("Nd"), true, c == 'D'};
      case 'h':
      case 'H': return Escape{"0-9a-fA-F", true, c == 'H'};
      case 'u': {  // \uHHHH
        const std::string_view digits = pattern_.substr(at_, 4);
        if (digits.size() < 4 || !std::ranges::all_of(digits, [](uint8_t d) { return std::isxdigit(d) != 0; })) {
          return Broken(begin, "\\u without four hexadecimal digits");
        }
        at_ += 4;
        return Escape{fmt::format("\\x{{{}}}", digits)};
      }
      case 'p':
      case 'P': return ReadProperty(begin, c == 'P');
      case 'x':  // \xHH and \x{H...}
        if (at_ < pattern_.size() && pattern_[at_] == '{') {
          const size_t end = pattern_.find('}', at_);
          if (end == std::string_view::npos) return Broken(begin, "\\x{ without }");
          const std::string_view digits = pattern_.substr(at_, end + 1 - at_);
          at_ = end + 1;
          return Escape{fmt::format("\\x{}", digits)};
        }
        return Escape{"\\x"};
      default: break;
    }
    // A character of several bytes may be escaped, too.
    at_ += Utf8Size(c) - 1;
    if (at_ > pattern_.size()) return Broken(begin, "a broken character");
    return Escape{std::string(pattern_.substr(begin, at_ - begin))};
  }

  Result<Escape> ReadProperty(size_t begin, bool negated) {
    std::string_view name;
    if (at_ < pattern_.size() && pattern_[at_] == '{') {
      const size_t end = pattern_.find('}', at_);
      if (end == std::string_view::npos) return Broken(begin, "\\p{ without }");
      name = pattern_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
    } else {
      name = pattern_.substr(at_, 1);
      at_ += name.size();
    }
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    std::string simple = Simplified(name);
    if (const size_t equals = simple.find('='); equals != std::string::npos) {  // Script=Han, General_Category=L
      const std::string kind = simple.substr(0, equals);
      simple.erase(0, equals + 1);
      if (kind != "gc" && kind != "generalcategory") return Escape{"\\p{sc:" + simple + "}", true, negated};
    }
    if (simple.empty()) return Broken(begin, "\\p without a name");
    if (simple == "space") return Escape{std::string(kSpaces), true, negated};
    if (simple == "word") return Escape{WordMembers(), true, negated};
    if (simple == "punct") return Escape{CategoryMembers("P") + CategoryMembers("S"), true, negated};
    if (simple == "alnum") return Escape{"\\p{Alphabetic}" + CategoryMembers("Nd"), true, negated};
    const auto category = std::ranges::find(kCategories, simple, &Name::name);
    if (category != kCategories.end() && category->value.size() > 2) {
      return Escape{fmt::format("\\p{{{}}}", category->value), true, negated};
    }
    if (category != kCategories.end() || simple.size() <= 2) {
      std::string code(category != kCategories.end() ? category->value : std::string_view(simple));
      code[0] = static_cast<char>(std::toupper(static_cast<uint8_t>(code[0])));
      return Escape{CategoryMembers(code), true, negated};
    }
    if (std::ranges::find(kProperties, simple) != kProperties.end()) {
      return Escape{"\\p{" + simple + "}", true, negated};
    }
    return Escape{"\\p{sc:" + simple + "}", true, negated};
  }

  // [:name:] in a class; nothing where the [ is none.
  Result<std::optional<Escape>> ReadPosix() {
    if (pattern_.substr(at_, 2) != "[:") return std::nullopt;
    const size_t end = pattern_.find(":]", at_ + 2);
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view name = pattern_.substr(at_ + 2, end - at_ - 2);
    const size_t begin = at_;
    at_ = end + 2;
    const bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    if (name == "graph" || name == "print" || name == "xdigit" || name == "ascii" || name == "blank") {
      return Escape{fmt::format("[:{}:]", name), true, negated};
    }
    Translator property(fmt::format("{{{}}}", name), 0);
    Escape escape = TRY(property.ReadProperty(begin, negated));
    return escape;
  }
  Translator(std::string pattern, size_t at) : own_(std::move(pattern)), pattern_(own_), at_(at) {}

  // The rest of a class, behind its [: an expression that matches one character.
  Result<std::string> ReadClass(int depth) {
    const size_t begin = at_ - 1;
    if (depth > kMaxNesting) return Broken(begin, "classes are nested too deeply");
    bool negated = false;
    if (at_ < pattern_.size() && pattern_[at_] == '^') {
      negated = true;
      at_++;
    }
    const size_t first = at_;
    std::vector<std::string> sides;   // of &&
    std::string members;              // of the side that is read
    std::vector<std::string> others;  // expressions for more members
    const auto close_side = [&] {
      if (!members.empty()) others.insert(others.begin(), Bracketed(members, false));
      sides.push_back(others.empty()       ? "(?!)"
                      : others.size() == 1 ? others[0]
                                           : fmt::format("(?:{})", fmt::join(others, "|")));
      members.clear();
      others.clear();
    };
    while (true) {
      if (at_ >= pattern_.size()) return Broken(begin, "[ without ]");
      const char c = pattern_[at_];
      if (c == ']' && at_ != first) {
        at_++;
        break;
      }
      if (c == '\\') {
        Escape escape = TRY(ReadEscape());
        escape.negated ? others.push_back(Bracketed(escape.text, true)) : void(members += escape.text);
      } else if (c == '[') {
        if (const auto posix = TRY(ReadPosix())) {
          posix->negated ? others.push_back(Bracketed(posix->text, true)) : void(members += posix->text);
          continue;
        }
        at_++;
        others.push_back(TRY(ReadClass(depth + 1)));
      } else if (c == '&' && pattern_.substr(at_, 2) == "&&") {
        at_ += 2;
        close_side();
      } else {
        if (c == ']' || c == '^') members.push_back('\\');
        members.push_back(c);
        at_++;
      }
    }
    if (sides.empty() && others.empty()) return Bracketed(members, negated);
    close_side();
    std::string expression = sides.back();
    sides.pop_back();
    if (!sides.empty()) expression = fmt::format("(?:(?={}){})", fmt::join(sides, ")(?="), expression);
    return negated ? fmt::format("(?:(?!{})\\p{{Any}})", expression) : expression;
  }

  std::string own_;
  std::string_view pattern_;
  size_t at_ = 0;
};

}  // namespace

Result<std::string> ToPcreSyntax(std::string_view pattern) { return Translator(pattern).Run(); }

}  // namespace bothy
