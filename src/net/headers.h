// The fields of a request or response: names without regard to case, in the order in which they came, repeats kept.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bothy::net {

// ASCII only, as HTTP compares names and tokens.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

// Without spaces and tabs at both ends.
std::string_view TrimSpaces(std::string_view text);

// A token of RFC 9110: what a field's name or a method is made of.
bool IsToken(std::string_view text);

class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    for (const auto& [name, value] : fields) Add(name, value);
  }

  // Neither can end a line: CR, LF and NUL in a value become spaces, so that no value from outside splits a response.
  // `name` must be a token.
  void Add(std::string_view name, std::string_view value);
  void Set(std::string_view name, std::string_view value);  // in place of all of that name
  void Remove(std::string_view name);

  // The first value of that name.
  std::optional<std::string_view> Find(std::string_view name) const;
  std::vector<std::string_view> FindAll(std::string_view name) const;
  bool Has(std::string_view name) const { return Find(name).has_value(); }

  // Whether some field of that name has `token` in its comma-separated list, whatever the case.
  bool ListHas(std::string_view name, std::string_view token) const;

  using value_type = std::pair<std::string, std::string>;
  using const_iterator = std::vector<value_type>::const_iterator;
  size_t size() const { return fields_.size(); }
  const_iterator begin() const { return fields_.begin(); }
  const_iterator end() const { return fields_.end(); }

 private:
  std::vector<value_type> fields_;
};

// The elements of a comma-separated list, trimmed, empty ones left out; commas inside of quotes do not separate.
std::vector<std::string_view> SplitList(std::string_view value, char separator = ',');

}  // namespace bothy::net
