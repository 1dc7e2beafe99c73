// The merges of a byte-pair encoding and the one loop that applies them: of all neighbouring pairs the one of lowest
// rank first, the leftmost of equals.
#pragma once

#include <cstdint>
#include <vector>

#include "text/hash_table.h"
#include "text/piece_table.h"

namespace bothy {

// A part of a word while it is being merged: a token and the bytes of the word that it stands for.
struct Symbol {
  TokenId id = -1;
  uint32_t begin = 0, end = 0;
};

class MergeTable {
 public:
  struct Merge {
    uint32_t rank = 0;
    TokenId result = -1;
  };

  void Reserve(size_t merges) { merges_.Reserve(merges); }
  // A pair that was there already gets the new rank and result.
  void Set(TokenId left, TokenId right, Merge merge) {
    const auto [value, found] = merges_.Insert(Key(left, right), merge);
    if (found) *value = merge;
  }
  const Merge* Find(TokenId left, TokenId right) const { return merges_.Find(Key(left, right)); }
  size_t size() const { return merges_.size(); }

  // Memory that Apply needs; reuse it.
  struct Scratch {
    std::vector<uint32_t> ranks;
    std::vector<TokenId> results;
    std::vector<uint32_t> previous, next;
    std::vector<uint64_t> heap;
  };
  // Merges until no pair is left, or `stop_at` symbols. Ids that no merge names stay as they are. O(n log n).
  void Apply(std::vector<Symbol>& symbols, Scratch& scratch, size_t stop_at = 1) const;

 private:
  static uint64_t Key(TokenId left, TokenId right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  void ApplyToFew(std::vector<Symbol>& symbols, Scratch& scratch, size_t stop_at) const;
  void ApplyToMany(std::vector<Symbol>& symbols, Scratch& scratch, size_t stop_at) const;

  FlatMap<uint64_t, Merge> merges_;
};

}  // namespace bothy
