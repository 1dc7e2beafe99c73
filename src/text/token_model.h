// What cuts a word into tokens: byte-pair encoding, Unigram, WordPiece. Everything before (normalizing, cutting text
// into words) and after (special tokens) is the same for all of them.
#pragma once

#include <string_view>
#include <vector>

#include "text/merge_table.h"

namespace bothy {

class TokenModel {  // Safe to use on several threads, each with its own scratch.
 public:
  virtual ~TokenModel() = default;

  struct Scratch {
    MergeTable::Scratch merge;
    std::vector<Symbol> symbols;
    std::vector<uint32_t> numbers;
    std::vector<float> scores;
  };

  // Appends the tokens of `word`, valid UTF-8 and not empty, with the bytes of the word that each stands for.
  virtual void Tokenize(std::string_view word, Scratch& scratch, std::vector<Symbol>& out) const = 0;
};

}  // namespace bothy
