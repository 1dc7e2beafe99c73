// SentencePiece: what its models hold, whichever file they came in (tokenizer.model, GGUF, llama2.c), and the tokenizer
// that they make.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/tokenizer_parts.h"

namespace bothy {

struct SentencePieceSpec {
  enum class Type : uint8_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };
  struct Piece {
    std::string text;
    float score = 0;
    Type type = Type::kNormal;
  };
  std::vector<Piece> pieces;  // numbered in order
  bool is_unigram = false;    // otherwise BPE
  bool byte_fallback = false;
  std::optional<TokenId> unk, bos, eos, pad;
  std::string unknown_surface = " \xE2\x81\x87 ";

  std::string charsmap;  // precompiled; may be empty
  bool add_dummy_prefix = true;
  bool dummy_prefix_only_first = false;  // not to text behind a special token
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
  bool treat_whitespace_as_suffix = false;
};

// A tokenizer that takes control pieces in the text for text, as the reference does, unless it is told to parse them.
// kCorrupt where the pieces contradict each other, kResourceExhausted where they are too many to build tables for.
Result<Tokenizer::Parts> MakeSentencePiece(SentencePieceSpec spec);

// The bytes of a tokenizer.model, a protobuf message (sentencepiece_model.proto). `file` is for messages.
Result<SentencePieceSpec> ReadSentencePieceModel(std::string_view bytes, std::string_view file);

// The bytes of llama2.c's tokenizer.bin: the longest token's length, then for each token its score and its text.
Result<SentencePieceSpec> ReadLlama2cTokenizer(std::string_view bytes, std::string_view file);

}  // namespace bothy
