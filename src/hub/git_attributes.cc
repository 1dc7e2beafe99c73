#include "hub/git_attributes.h"

#include <algorithm>
#include <optional>

namespace bothy {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kMacro = "[attr]";
constexpr std::string_view kUnset = "unset";
constexpr std::string_view kSet = "set";
constexpr std::string_view kUnspecified = "unspecified";

std::string_view WithoutBlanks(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
}

std::string_view TakeWord(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text = WithoutBlanks(text.substr(word.size()));
  return word;
}

bool IsAttributeName(std::string_view name) {
  const auto allowed = [](char c) {
    return c == '-' || c == '.' || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
  };
  return !name.empty() && name[0] != '-' && std::all_of(name.begin(), name.end(), allowed);
}

// What is between quotes, in which "\" escapes as in C, is cut off; nothing where it is not well-formed.
std::optional<std::string> TakeQuoted(std::string_view& text) {
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"";
  std::string plain;
  for (size_t i = 1; i < text.size(); i++) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return plain;
    }
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    if (++i == text.size()) break;
    if (const size_t at = kLetters.find(text[i]); at != std::string_view::npos) {
      plain += kMeanings[at];
      continue;
    }
    const std::string_view digits = text.substr(i, 3);
    if (digits.size() < 3 || digits[0] > '3' || digits.find_first_not_of("01234567") != std::string_view::npos) break;
    plain += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'));
    i += 2;
  }
  return std::nullopt;
}

}  // namespace

GitAttributes::GitAttributes() {
  std::vector<Assignment> binary;
  ParseAssignments("-diff -merge -text", binary);
  macros_.emplace(IndexOf("binary"), std::move(binary));
}

uint32_t GitAttributes::IndexOf(std::string_view name) {
  const auto index = static_cast<uint32_t>(names_.size());
  return names_.try_emplace(std::string(name), index).first->second;
}

// False where git would pass over the whole line.
bool GitAttributes::ParseAssignments(std::string_view text, std::vector<Assignment>& assignments) {
  while (!text.empty()) {
    std::string_view word = TakeWord(text);
    std::string value(kSet);
    if (word[0] == '-' || word[0] == '!') {
      value = word[0] == '-' ? kUnset : kUnspecified;
      word = word.substr(1, word.find('=') == std::string_view::npos ? word.npos : word.find('=') - 1);
    } else if (const size_t equals = word.find('='); equals != std::string_view::npos) {
      value = word.substr(equals + 1);
      word = word.substr(0, equals);
    }
    if (!IsAttributeName(word)) return false;
    assignments.push_back({IndexOf(word), std::move(value)});
  }
  return true;
}

void GitAttributes::AddLine(File& file, std::string_view line) {
  line = WithoutBlanks(line);
  if (line.empty() || line[0] == '#') return;
  std::string pattern;
  std::optional<std::string> quoted;
  if (line[0] == '"') quoted = TakeQuoted(line);
  if (quoted) {
    pattern = *std::move(quoted);
    line = WithoutBlanks(line);
  } else {
    pattern = TakeWord(line);
  }
  std::vector<Assignment> assignments;
  if (pattern.size() > kMacro.size() && pattern.starts_with(kMacro)) {
    const std::string_view name = std::string_view(pattern).substr(kMacro.size());
    if (!file.folder.empty() || !IsAttributeName(name) || !ParseAssignments(line, assignments)) return;
    const uint32_t index = IndexOf(name);
    if (macros_.size() < kMaxMacros || macros_.contains(index)) macros_[index] = std::move(assignments);
    return;
  }
  if (pattern.starts_with('!') || !ParseAssignments(line, assignments)) return;
  file.rules.push_back({PathPattern(pattern), std::move(assignments)});
}

void GitAttributes::Add(std::string_view folder, std::string_view text) {
  bytes_ += text.size();
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  File& file = files_.emplace_back();
  file.folder = folder;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end < kMaxLineBytes) AddLine(file, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Found from the last line backwards: the first that says something about an attribute has the last word, and a macro
// that was unset there is not looked into any more.
class GitAttributes::Answer {
 public:
  explicit Answer(const GitAttributes& attributes) : attributes_(attributes), known_(attributes.names_.size()) {}

  void Apply(const std::vector<Assignment>& assignments) {
    for (auto it = assignments.rbegin(); it != assignments.rend(); ++it) {
      auto& known = known_[it->attribute];
      if (known != nullptr) continue;
      known = &it->value;
      const auto macro = attributes_.macros_.find(it->attribute);
      if (macro != attributes_.macros_.end() && it->value == kSet) Apply(macro->second);
    }
  }

  const std::string* Find(uint32_t attribute) const { return known_[attribute]; }

 private:
  const GitAttributes& attributes_;
  std::vector<const std::string*> known_;
};

std::string GitAttributes::Find(std::string_view path, std::string_view attribute) const {
  const auto index = names_.find(attribute);
  if (index == names_.end()) return std::string(kUnspecified);
  Answer answer(*this);
  for (auto file = files_.rbegin(); file != files_.rend(); ++file) {
    std::string_view inside = path;
    if (!file->folder.empty()) {
      if (!inside.starts_with(file->folder) || inside.substr(file->folder.size(), 1) != "/") continue;
      inside.remove_prefix(file->folder.size() + 1);
    }
    for (auto rule = file->rules.rbegin(); rule != file->rules.rend(); ++rule) {
      if (rule->pattern.Matches(inside, /*is_folder=*/false)) answer.Apply(rule->assignments);
    }
    if (const std::string* value = answer.Find(index->second)) return *value;
  }
  return std::string(kUnspecified);
}

}  // namespace bothy
