// What each token of a vocabulary adds to a text, byte for byte: for what works below characters.
#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace bothy {

struct TokenBytes {
  // Of each id: the bytes that it adds to a text that has begun, not always whole characters; nothing for special
  // tokens and for ids that do not exist. Exact where decoding takes tokens one by one, as the decoders of byte-level
  // and SentencePiece vocabularies do.
  std::vector<std::string> bytes;
  // Whether a space that the first token of a text begins with is not shown.
  bool drops_first_space = false;
};

// Asks the decoder about every token: 0.1 s for 128,000.
TokenBytes BytesOfTokens(const Tokenizer& tokenizer);

}  // namespace bothy
