// What is put around the tokens of a text, or of two: the post_processor of tokenizer.json.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "text/token_id.h"

namespace bothy {

struct TemplatePiece {
  enum class Kind { kSpecial, kFirst, kSecond };
  Kind kind = Kind::kFirst;
  TokenId id = 0;  // of a special token
  int32_t type_id = 0;
};

struct PostProcessor {
  // Offsets leave out the white space of their tokens; with add_prefix_space a text's first space was not the text's.
  struct TrimOffsets {
    bool add_prefix_space = true;
  };
  std::vector<TrimOffsets> trims;

  std::vector<TemplatePiece> single = {{TemplatePiece::Kind::kFirst, 0, 0}};
  std::vector<TemplatePiece> pair = {{TemplatePiece::Kind::kFirst, 0, 0}, {TemplatePiece::Kind::kSecond, 0, 1}};
  // A BERT-like template is not applied at all without special tokens, which shows in the type ids.
  bool only_with_special_tokens = false;
};

// "<s> text </s>", for vocabularies that say only which tokens there are.
PostProcessor SurroundingTokens(std::optional<TokenId> before, std::optional<TokenId> after);

}  // namespace bothy
