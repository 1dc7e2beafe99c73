// SentencePiece's table of character replacements (precompiled_charsmap): a double-array trie of what is replaced, as
// Darts-clone writes it, and the replacements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace bothy {

class Charsmap {
 public:
  // A search takes as many steps a character at worst. NFKC replaces a few characters by at most 33 bytes (U+FDFA).
  static constexpr size_t kMaxReplaced = 64, kMaxReplacement = 1024;

  // 32 bits, little-endian: the trie's size in bytes; the trie; replacements, each ended by a zero byte. kCorrupt where
  // sizes do not fit, kResourceExhausted for a longer replacement. Longer texts are not found.
  static Result<Charsmap> Parse(std::string_view bytes);

  struct Match {
    size_t size = 0;               // bytes of the text that are replaced
    std::string_view replacement;  // valid UTF-8
  };
  // What replaces a prefix of `text`: the longest that the table has, or the shortest.
  std::optional<Match> Longest(std::string_view text) const { return Find(text, true); }
  std::optional<Match> Shortest(std::string_view text) const { return Find(text, false); }

 private:
  std::optional<Match> Find(std::string_view text, bool longest) const;

  std::vector<uint32_t> trie_;
  std::string replacements_;
};

}  // namespace bothy
