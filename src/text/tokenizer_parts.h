// What a reader of a tokenizer's file format puts together, and Tokenizer::Create makes a tokenizer of.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/piece_table.h"
#include "text/post_processor.h"
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
  NormalizerPtr normalizer;  // may be null, as the next
  PreTokenizerPtr pre_tokenizer;
  std::unique_ptr<TokenModel> model;
  PostProcessor post_processor;
  std::vector<DecodeStep> decoder;  // one after the other
  SpecialTokens special;
  bool parses_special = true;  // what EncodeOptions::Special::kAsReference means here
};

}  // namespace bothy
