// What cuts a word into tokens: byte-pair encoding, Unigram, WordPiece. Everything before (normalizing, cutting text
// into words) and after (special tokens) is the same for all of them.
#pragma once

#include <string_view>
#include <type_traits>
#include <vector>

#include "text/merge_table.h"

namespace bothy {

class TokenModel {  // Safe to use on several threads, each with its own scratch.
 public:
  virtual ~TokenModel() = default;

  // Memory of one thread, for all kinds of models.
  struct Scratch {
    static constexpr uint32_t kNowhere = ~uint32_t{0};
    template <class Sum>
    struct Node {  // of a best path
      Sum sum = 0;
      uint32_t begin = kNowhere;
      int32_t entry = 0;
    };
    template <class Sum>
    std::vector<Node<Sum>>& nodes() {
      if constexpr (std::is_same_v<Sum, float>) {
        return float_nodes;
      } else {
        return double_nodes;
      }
    }

    MergeTable::Scratch merge;
    std::vector<Symbol> symbols;
    std::vector<Node<float>> float_nodes;
    std::vector<Node<double>> double_nodes;
  };

  // Appends the tokens of `word`, valid UTF-8 and not empty, with the bytes of the word that each stands for.
  virtual void Tokenize(std::string_view word, Scratch& scratch, std::vector<Symbol>& out) const = 0;
};

}  // namespace bothy
