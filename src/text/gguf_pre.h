// What tokenizer.ggml.pre of a GGUF file means: the patterns that cut text into words for byte-level BPE.
#pragma once

#include <span>
#include <string_view>

namespace bothy {

struct GgufPre {
  std::string_view names;                      // separated by spaces
  std::span<const std::string_view> patterns;  // one after the other, each on the words that the one before left
  bool ignore_merges = false;
  bool add_bos = false;         // where tokenizer.ggml.add_bos_token says nothing
  bool raw_characters = false;  // pieces are UTF-8 with U+2581 for the space, not GPT-2's alphabet of bytes
};

// Null for a name that nobody has defined.
const GgufPre* FindGgufPre(std::string_view name);

}  // namespace bothy
