// Byte-pair encoding as Hugging Face tokenizers does it, over characters or over bytes.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "base/error.h"
#include "text/token_model.h"

namespace bothy {

struct BpeOptions {
  bool byte_level = false;     // words are bytes; the vocabulary writes them in GPT-2's alphabet
  bool byte_fallback = false;  // characters without a token become tokens <0x00> to <0xFF>
  bool ignore_merges = false;  // a word that is a token is that token, whatever the merges say
  bool fuse_unk = false;       // unknown characters in a row become one token
  std::optional<TokenId> unk;
  std::string continuing_prefix;  // before every character of a word but the first, in the vocabulary
  std::string end_of_word_suffix;
};

class BpeModel final : public TokenModel {
 public:
  // Names of a merge are pieces of the vocabulary, in order of rank. `pieces` must outlive the model.
  class Builder {
   public:
    Builder(const PieceTable& pieces, BpeOptions options, size_t merges);
    Result<void> AddMerge(std::string_view left, std::string_view right);
    // All pairs of pieces that make up a piece; rank is the id (tiktoken).
    Result<void> AddMergesByRank();
    Result<std::unique_ptr<BpeModel>> Build();

   private:
    std::unique_ptr<BpeModel> model_;
    uint32_t rank_ = 0;
  };

  void Tokenize(std::string_view word, Scratch& scratch, std::vector<Symbol>& out) const override;

 private:
  BpeModel(const PieceTable& pieces, BpeOptions options) : pieces_(pieces), options_(std::move(options)) {}
  void CutIntoBytes(std::string_view word, std::vector<Symbol>& symbols) const;
  void CutIntoCharacters(std::string_view word, std::vector<Symbol>& symbols) const;
  static void PlaceAsReference(std::string_view word, std::vector<Symbol>& symbols);
  void AddUnknown(uint32_t begin, uint32_t end, std::vector<Symbol>& symbols) const;
  bool HasBytes(std::string_view piece) const;

  const PieceTable& pieces_;
  BpeOptions options_;
  MergeTable merges_;
  PieceTable bytes_;                     // byte-level: the pieces as bytes
  std::array<TokenId, 256> byte_ids_{};  // byte-level: of single bytes; byte fallback: of <0x..>; -1: none
};

}  // namespace bothy
