// Rewrites regular expressions as tokenizer files spell them into PCRE2's spelling.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy {

// tokenizer.json is written for Oniguruma, tiktoken's patterns for Rust's and Python's regex; they agree in what they
// have in common. PCRE2 differs: \s, \w, \h, \u, classes in classes, intersections (&&), names of properties (a
// script's name there means more than the script), and Debian's knows no characters of Unicode 15 and 16. kCorrupt with
// the offset where the pattern breaks off, kUnimplemented for what PCRE2 cannot say.
Result<std::string> ToPcreSyntax(std::string_view pattern);

}  // namespace bothy
