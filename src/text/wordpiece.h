// WordPiece, which takes the longest piece from the left again and again, and whole words only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "text/token_model.h"

namespace bothy {

struct WordPieceOptions {
  std::optional<TokenId> unk;
  std::string continuing_prefix = "##";
  size_t max_characters = 100;  // longer words are unknown
};

// `pieces` must outlive the model.
std::unique_ptr<TokenModel> WordPieceModel(const PieceTable& pieces, WordPieceOptions options);
std::unique_ptr<TokenModel> WordLevelModel(const PieceTable& pieces, std::optional<TokenId> unk);

}  // namespace bothy
