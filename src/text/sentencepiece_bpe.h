// Byte-pair encoding as SentencePiece does it: pairs are merged by the score of what they make, over the whole text.
#pragma once

#include <array>
#include <memory>

#include "base/error.h"
#include "text/byte_trie.h"
#include "text/sentencepiece.h"
#include "text/token_model.h"

namespace bothy {

class SentencePieceBpe final : public TokenModel {
 public:
  static Result<std::unique_ptr<SentencePieceBpe>> Create(const SentencePieceSpec& spec,
                                                          const std::array<TokenId, 256>& byte_ids);

  void Tokenize(std::string_view word, Scratch& scratch, std::vector<Symbol>& out) const override;

 private:
  SentencePieceBpe() = default;
  TokenId IdOfCharacter(char32_t code) const;
  void AddSymbol(std::string_view word, const Symbol& symbol, std::vector<Symbol>& out) const;
  void SplitUnused(std::string_view word, const Symbol& symbol, std::vector<Symbol>& out) const;

  TokenId piece_count_ = 0;
  FlatMap<uint32_t, TokenId> characters_;  // also such as are no pieces but parts of pieces, numbered behind them
  MergeTable merges_;
  ByteTrie user_defined_;     // ids
  std::vector<bool> unused_;  // of each piece; empty where none is
  std::array<TokenId, 256> byte_ids_{};
  bool byte_fallback_ = false;
  std::optional<TokenId> unk_;
};

}  // namespace bothy
