#include "net/headers.h"

#include <algorithm>

#include "base/error.h"

namespace bothy::net {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool IsTokenCharacter(char c) {
  if ((c >= '0' && c <= '9') || (Lower(c) >= 'a' && Lower(c) <= 'z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view TrimSpaces(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool IsToken(std::string_view text) { return !text.empty() && std::ranges::all_of(text, IsTokenCharacter); }

void Headers::Add(std::string_view name, std::string_view value) {
  CHECK(IsToken(name));
  std::string clean(TrimSpaces(value));
  for (char& c : clean) {
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  }
  fields_.emplace_back(name, std::move(clean));
}

void Headers::Set(std::string_view name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

void Headers::Remove(std::string_view name) {
  std::erase_if(fields_, [&](const auto& field) { return EqualsIgnoringCase(field.first, name); });
}

std::optional<std::string_view> Headers::Find(std::string_view name) const {
  for (const auto& field : fields_) {
    if (EqualsIgnoringCase(field.first, name)) return field.second;
  }
  return std::nullopt;
}

std::vector<std::string_view> Headers::FindAll(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& field : fields_) {
    if (EqualsIgnoringCase(field.first, name)) values.emplace_back(field.second);
  }
  return values;
}

bool Headers::ListHas(std::string_view name, std::string_view token) const {
  return std::ranges::any_of(fields_, [&](const auto& field) {
    return EqualsIgnoringCase(field.first, name) && std::ranges::any_of(SplitList(field.second), [&](auto element) {
             return EqualsIgnoringCase(element, token);
           });
  });
}

std::vector<std::string_view> SplitList(std::string_view value, char separator) {
  std::vector<std::string_view> elements;
  size_t start = 0;
  bool quoted = false;
  for (size_t i = 0; i <= value.size(); i++) {
    if (i < value.size()) {
      if (value[i] == '"') quoted = !quoted;
      if (quoted && value[i] == '\\') i++;  // the escaped character, which may be a quote
      if (i < value.size() && (quoted || value[i] != separator)) continue;
    }
    const auto element = TrimSpaces(value.substr(start, std::min(i, value.size()) - start));
    if (!element.empty()) elements.push_back(element);
    start = i + 1;
    if (start > value.size()) break;
  }
  return elements;
}

}  // namespace bothy::net
