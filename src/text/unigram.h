// Unigram (Kudo 2018): of all ways to cut a text into pieces the one of highest total score.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/byte_trie.h"
#include "text/token_model.h"

namespace bothy {

struct UnigramPiece {
  std::string_view text;
  TokenId id = 0;
  double score = 0;
  bool user_defined = false;  // is taken wherever it stands
};

struct UnigramOptions {
  std::optional<TokenId> unk;
  bool byte_fallback = false;  // unknown characters become tokens <0x00> to <0xFF>
  std::array<TokenId, 256> bytes{};
  // SentencePiece adds scores up in floats, Hugging Face in doubles; over a long text they choose differently.
  bool float_sums = false;
};

class UnigramModel final : public TokenModel {
 public:
  // kCorrupt where a score is no number.
  static Result<std::unique_ptr<UnigramModel>> Create(std::span<const UnigramPiece> pieces, UnigramOptions options);

  void Tokenize(std::string_view word, Scratch& scratch, std::vector<Symbol>& out) const override;

 private:
  struct Entry {
    TokenId id = 0;
    double score = 0;
    bool user_defined = false;
  };
  template <class Sum>
  void FindBest(std::string_view word, Scratch& scratch) const;
  void AddUnknown(std::string_view word, uint32_t begin, uint32_t end, std::vector<Symbol>& out) const;

  UnigramOptions options_;
  std::vector<Entry> entries_;
  ByteTrie trie_;
  double min_score_ = 0, max_score_ = 0;
};

}  // namespace bothy
