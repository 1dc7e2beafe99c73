// SQL with its values. The text is known when Bothy is compiled, so a value can reach the database only by being bound
// to a placeholder: $1, $2 ..., each used at least once. The compiler refuses a literal whose placeholders do not fit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "store/database/value.h"

namespace bothy {

// What a mistake in a literal looks like in the compiler's message. They have no definition.
void PlaceholdersDoNotFitTheValues();
void OneStatementOnlyWithoutSemicolonAndComment();

namespace internal {
constexpr size_t kMaxPlaceholders = 64;  // in one literal

// Where each placeholder of `sql` begins and ends, and its number, given to `found`; text in quotes is skipped.
template <class Found>
constexpr void FindPlaceholders(std::string_view sql, const Found& found) {
  char quote = '\0';
  for (size_t i = 0; i < sql.size(); i++) {
    const char c = sql[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
      continue;
    }
    if (c == '\'' || c == '"') quote = c;
    if (c != '$') continue;
    size_t end = i + 1, number = 0;
    while (end < sql.size() && sql[end] >= '0' && sql[end] <= '9' && number <= kMaxPlaceholders * 1000) {
      number = number * 10 + static_cast<size_t>(sql[end++] - '0');
    }
    found(i, end, number);
    i = end - 1;
  }
}

consteval void CheckSql(std::string_view sql, size_t values) {
  bool used[kMaxPlaceholders] = {};
  FindPlaceholders(sql, [&](size_t, size_t, size_t number) {
    if (number < 1 || number > values || values > kMaxPlaceholders) PlaceholdersDoNotFitTheValues();
    used[number - 1] = true;
  });
  for (size_t i = 0; i < values; i++) {
    if (!used[i]) PlaceholdersDoNotFitTheValues();
  }
  char quote = '\0';
  for (size_t i = 0; i < sql.size(); i++) {
    if (quote != '\0') {
      if (sql[i] == quote) quote = '\0';
    } else if (sql[i] == '\'' || sql[i] == '"') {
      quote = sql[i];
    } else if (sql[i] == ';' || sql.substr(i, 2) == "--" || sql.substr(i, 2) == "/*") {
      // SOCI would prepare the first of several statements for SQLite and drop the others without a word.
      OneStatementOnlyWithoutSemicolonAndComment();
    }
  }
}
}  // namespace internal

// A literal with as many placeholders as there are Values.
template <class... Values>
class BasicSql {
 public:
  consteval BasicSql(const char* text) : text_(text) { internal::CheckSql(text_, sizeof...(Values)); }
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};
template <class... Values>
using Sql = BasicSql<std::type_identity_t<Values>...>;

// A statement made of parts, for a query whose shape is known only when it runs. Numbers of placeholders count from 1
// in every part:
//   Statement list("SELECT name FROM repositories WHERE kind = $1", kind);
//   if (owner) list.Add(" AND owner = $1", *owner);
class Statement {
 public:
  template <class... Values>
  explicit Statement(Sql<Values...> sql, const Values&... values) {
    Add(sql, values...);
  }

  template <class... Values>
  Statement& Add(Sql<Values...> sql, const Values&... values) {
    Append(sql.text());
    (values_.push_back(Value(values)), ...);
    return *this;
  }

  const std::string& text() const { return text_; }
  const std::vector<Value>& values() const { return values_; }

 private:
  void Append(std::string_view part);

  std::string text_;
  std::vector<Value> values_;
};

}  // namespace bothy
