// Regular expressions over valid UTF-8, by PCRE2 with its compiler to machine code.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace bothy {

// How tokenizer files spell patterns: Oniguruma's (tokenizer.json) and Rust's or Python's regex (tiktoken) agree in
// what they have in common; PCRE2 differs from both in \s, \w, \h, ^ and $, which are rewritten.
class Regex {
 public:
  // kCorrupt with the offset where `pattern` is no pattern.
  static Result<Regex> Compile(std::string_view pattern);

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  struct Match {
    size_t begin = 0, end = 0;
  };
  // The first match that starts at or after `from`, in valid UTF-8. kResourceExhausted where a pattern backtracks
  // without end. Safe on several threads.
  Result<std::optional<Match>> Find(std::string_view text, size_t from) const;

 private:
  struct Compiled;
  explicit Regex(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace bothy
