#include "hub/path_pattern.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace bothy {
namespace {

using Predicate = int (*)(int);

std::optional<Predicate> NamedClass(std::string_view name) {
  struct Named {
    std::string_view name;
    Predicate predicate;
  };
  static constexpr Named kClasses[] = {{"alnum", std::isalnum}, {"alpha", std::isalpha}, {"blank", std::isblank},
                                       {"cntrl", std::iscntrl}, {"digit", std::isdigit}, {"graph", std::isgraph},
                                       {"lower", std::islower}, {"print", std::isprint}, {"punct", std::ispunct},
                                       {"space", std::isspace}, {"upper", std::isupper}, {"xdigit", std::isxdigit}};
  for (const Named& known : kClasses) {
    if (known.name == name) return known.predicate;
  }
  return std::nullopt;
}

// The part of `path` before its first slash is cut off and returned.
std::string_view TakeName(std::string_view& path) {
  const size_t slash = path.find('/');
  const std::string_view name = path.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  return name;
}

}  // namespace

PathPattern::PathPattern(std::string_view text) {
  if (text.ends_with('/')) {
    only_folders_ = true;
    text.remove_suffix(1);
  }
  anchored_ = text.find('/') != std::string_view::npos;
  if (text.starts_with('/')) text.remove_prefix(1);
  possible_ = !text.empty() && Compile(text);
}

bool PathPattern::Compile(std::string_view text) {
  segments_.emplace_back();
  for (size_t i = 0; i < text.size(); i++) {
    auto& tokens = segments_.back().tokens;
    switch (text[i]) {
      case '/': segments_.emplace_back(); break;
      case '?': tokens.push_back({Kind::kAnyCharacter}); break;
      case '*': {
        const size_t end = std::min(text.find_first_not_of('*', i), text.size());
        const bool whole = tokens.empty() && (end == text.size() || text[end] == '/');
        if (anchored_ && whole && end - i >= 2) {
          segments_.back().any_folders = true;
        } else {
          tokens.push_back({Kind::kAnyText});
        }
        i = end - 1;
        break;
      }
      case '[':
        if (!CompileClass(text, i)) return false;
        break;
      case '\\':
        if (++i == text.size()) return false;
        if (text[i] == '/') {
          segments_.emplace_back();
          break;
        }
        [[fallthrough]];
      default: tokens.push_back({Kind::kCharacter, static_cast<uint8_t>(text[i])});
    }
  }
  return true;
}

// From `at`, a bracket, to its end, on which `at` is left.
bool PathPattern::CompileClass(std::string_view text, size_t& at) {
  Class members;
  size_t i = at + 1;
  const auto more = [&] { return i < text.size(); };
  const bool negated = more() && (text[i] == '!' || text[i] == '^');
  if (negated) i++;
  std::optional<uint8_t> previous;  // what a range may begin with
  for (bool first = true; more() && (first || text[i] != ']'); first = false, i++) {
    const auto byte = [&] { return static_cast<uint8_t>(text[i]); };
    if (text[i] == '-' && previous && i + 1 < text.size() && text[i + 1] != ']') {
      i++;
      if (text[i] == '\\' && ++i == text.size()) return false;
      for (unsigned c = *previous; c <= byte(); c++) members.set(c);
      previous.reset();
      continue;
    }
    if (text[i] == '[' && i + 1 < text.size() && text[i + 1] == ':') {
      const size_t end = text.find(']', i + 2);
      if (end == std::string_view::npos) return false;
      if (end > i + 2 && text[end - 1] == ':') {
        const auto predicate = NamedClass(text.substr(i + 2, end - i - 3));
        if (!predicate) return false;
        for (int c = 0; c < 0x80; c++) {
          if ((*predicate)(c) != 0) members.set(static_cast<size_t>(c));
        }
        i = end;
        previous.reset();
        continue;
      }
    }
    if (text[i] == '\\' && ++i == text.size()) return false;
    members.set(byte());
    previous = byte();
  }
  if (!more()) return false;
  if (negated) members.flip();
  segments_.back().tokens.push_back({Kind::kClass, 0, static_cast<uint32_t>(classes_.size())});
  classes_.push_back(members);
  at = i;
  return true;
}

bool PathPattern::MatchesCharacter(const Token& token, char c) const {
  const auto byte = static_cast<uint8_t>(c);
  switch (token.kind) {
    case Kind::kCharacter: return token.character == byte;
    case Kind::kAnyCharacter: return true;
    case Kind::kClass: return classes_[token.index][byte];
    case Kind::kAnyText: return false;
  }
  return false;
}

// Where the text after a "*" does not fit, that "*" takes one character more and the rest is tried again. Only the last
// "*" needs that: an earlier one that took more could only leave it less to choose from.
bool PathPattern::MatchesName(const Segment& segment, std::string_view name) const {
  const auto& tokens = segment.tokens;
  size_t token = 0, at = 0;
  std::optional<size_t> star;  // the token after the last "*"
  size_t taken = 0;            // where the text after it was tried
  while (at < name.size()) {
    if (token < tokens.size() && tokens[token].kind == Kind::kAnyText) {
      star = ++token;
      taken = at;
    } else if (token < tokens.size() && MatchesCharacter(tokens[token], name[at])) {
      token++;
      at++;
    } else if (star) {
      token = *star;
      at = ++taken;
    } else {
      return false;
    }
  }
  while (token < tokens.size() && tokens[token].kind == Kind::kAnyText) token++;
  return token == tokens.size();
}

// The same one level up: "**" is to names what "*" is to characters.
bool PathPattern::MatchesPath(std::string_view path) const {
  size_t segment = 0;
  std::optional<size_t> star;
  std::string_view taken;
  while (!path.empty()) {
    std::string_view rest = path;
    if (segment < segments_.size() && segments_[segment].any_folders) {
      star = ++segment;
      taken = path;
      // At the end it stands for what is inside of a folder, which is something.
      if (segment == segments_.size()) return true;
    } else if (segment < segments_.size() && MatchesName(segments_[segment], TakeName(rest))) {
      segment++;
      path = rest;
    } else if (star) {
      segment = *star;
      TakeName(taken);
      path = taken;
    } else {
      return false;
    }
  }
  return segment == segments_.size();
}

bool PathPattern::Matches(std::string_view path, bool is_folder) const {
  if (!possible_ || (only_folders_ && !is_folder)) return false;
  if (anchored_) return MatchesPath(path);
  return MatchesName(segments_.front(), path.substr(path.rfind('/') + 1));
}

}  // namespace bothy
