// What a reader of a tokenizer's file format puts together, and Tokenizer::Create makes a tokenizer of.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/piece_table.h"
#include "text/pre_tokenizer.h"
#include "text/token_model.h"
#include "text/tokenizer.h"

namespace bothy {

// A token that is found in the text before anything else is done with it.
struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool special = false;      // controls the model; a part of the text otherwise
  bool single_word = false;  // only where no letter or digit touches it
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and behind it
  bool normalized = false;   // is looked for in the normalized text
};

struct Tokenizer::Parts {
  std::shared_ptr<const PieceTable> vocabulary;  // what the model knows; added tokens may be in it or not
  std::vector<AddedToken> added;
  std::unique_ptr<PreTokenizer> pre_tokenizer;  // may be null
  std::unique_ptr<TokenModel> model;
  std::vector<TokenId> before, after;  // what add_special_tokens puts around a text
  SpecialTokens special;
  bool parses_special = true;  // what EncodeOptions::Special::kAsReference means here
};

}  // namespace bothy
