// Finds added tokens in text: the leftmost, and of those that start there the longest.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/byte_trie.h"
#include "text/tokenizer_parts.h"

namespace bothy {

class AddedTokenFinder {
 public:
  // Longer contents are refused: the search takes that many steps a byte at worst.
  static constexpr size_t kMaxContent = 1024;

  // `content`: what to look for, which is not the token's own where the text is normalized.
  Result<void> Add(const AddedToken& token, std::string_view content);

  bool empty() const { return tokens_.empty(); }

  struct Match {
    size_t begin = 0, end = 0;  // with the white space that the token takes along
    const AddedToken* token = nullptr;
  };
  // Where a search is: start with {}.
  struct Cursor {
    size_t search = 0;  // where to look next
    size_t taken = 0;   // up to here text belongs to earlier tokens
  };
  // The next match in `text`, valid UTF-8; false where there is none. Special tokens count only where `parse_special`.
  bool Next(std::string_view text, bool parse_special, Cursor& cursor, Match& match) const;

 private:
  std::vector<AddedToken> tokens_;
  ByteTrie trie_;  // numbers in tokens_
};

}  // namespace bothy
