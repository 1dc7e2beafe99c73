// Wrapping text as Python's textwrap.wrap does, with expand_tabs and replace_whitespace off.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bothy::jinja {

struct WrapOptions {
  int64_t width = 79;
  bool break_long_words = true;
  bool break_on_hyphens = true;
};

std::vector<std::string> WrapText(std::string_view text, const WrapOptions& options);

}  // namespace bothy::jinja
