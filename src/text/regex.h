// Regular expressions over valid UTF-8, by PCRE2 with its compiler to machine code.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "text/text_budget.h"

namespace bothy {

class Regex {
 public:
  // `pattern` as tokenizer files spell it (regex_syntax.h); kCorrupt where it is none.
  static Result<Regex> Compile(std::string_view pattern);

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  struct Match {
    size_t begin = 0, end = 0;
  };
  // The first match that starts at or after `from`, in valid UTF-8. kResourceExhausted where the budget does not last.
  // Safe on several threads.
  Result<std::optional<Match>> Find(std::string_view text, size_t from, TextBudget& budget) const;

 private:
  struct Compiled;
  explicit Regex(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace bothy
