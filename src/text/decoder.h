// Turns tokens back into text: the decoder of tokenizer.json, and SentencePiece's. Every step works on a stream, so
// that decoding token by token and decoding all at once are the same code.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/regex.h"
#include "text/token_id.h"

namespace bothy {

// Takes tokens as text, in parts, each ended by EndToken; at last comes Finish, after which it is as new. A step may
// hold back what it cannot yet decide.
class DecodeStage {
 public:
  virtual ~DecodeStage() = default;
  virtual void Token(TokenId id, std::string_view text) {
    (void)id;
    Part(text);
    EndToken();
  }
  virtual void Part(std::string_view text) = 0;
  virtual void EndToken() = 0;
  virtual void Finish() = 0;
};

// One step of a decoder: makes the stage that passes its text on to `next`. Safe on several threads.
using DecodeStep = std::function<std::unique_ptr<DecodeStage>(DecodeStage& next)>;

DecodeStep ReplaceDecoder(std::string pattern, std::string content);
DecodeStep ReplaceRegexDecoder(std::shared_ptr<const Regex> regex, std::string content);
DecodeStep ByteFallbackDecoder();  // runs of <0xE4> are bytes; a run that is not UTF-8 is U+FFFD for each byte
DecodeStep FuseDecoder();          // all tokens become one
DecodeStep StripDecoder(std::string content, size_t start, size_t stop);  // of each token
DecodeStep ByteLevelDecoder();
DecodeStep MetaspaceDecoder(std::string replacement, bool drop_first);
DecodeStep WordPieceDecoder(std::string prefix, bool cleanup);
DecodeStep EndOfWordDecoder(std::string suffix);  // "BPEDecoder": the suffix is a space, but for the last token's
DecodeStep CtcDecoder(std::string pad, std::string word_delimiter, bool cleanup);
DecodeStep TrimDecoder();                       // white space at both ends of the whole
DecodeStep JoinDecoder(std::string separator);  // what the reference does where a file names no decoder

struct SentencePieceDecoding {
  std::function<bool(TokenId)> is_control, is_unknown;
  std::function<int(TokenId)> byte_of;  // -1 for a token that is no byte
  std::string unknown_surface = " \xE2\x81\x87 ";
  bool strips_first_space = true;  // add_dummy_prefix or remove_extra_whitespaces
  bool strips_all_first_spaces = false;
};
DecodeStep SentencePieceDecoder(SentencePieceDecoding options);

}  // namespace bothy
