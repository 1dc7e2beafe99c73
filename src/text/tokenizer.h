// Text to tokens and back, whatever file the tokenizer came from. OpenTokenizer (open_tokenizer.h) makes one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "text/token_id.h"

namespace bothy {

struct EncodeOptions {
  bool add_special_tokens = false;  // what the model wants around a text: <s> before it, [SEP] behind it

  // Whether special tokens that are spelled out in the text ("<|im_end|>") become these tokens.
  enum class Special {
    kAsReference,  // as the format's own library does by default: tokenizer.json and GGUF yes, SentencePiece and
                   // tiktoken no
    kParse,        // a prompt that a chat template has made
    kText,         // what a user has typed: never
  };
  Special special = Special::kAsReference;
};

struct TextSpan {
  uint32_t begin = 0, end = 0;  // Unicode code points of the text that was given
  bool operator==(const TextSpan&) const = default;
};

struct Encoding {
  std::vector<TokenId> ids;
  std::vector<TextSpan> offsets;  // of every token; {0, 0} for tokens that were added around the text
  std::vector<int32_t> type_ids;  // 0, or 1 for the second text of a pair
};

// Tokens with a meaning of their own, as far as the tokenizer's files name them.
struct SpecialTokens {
  std::optional<TokenId> bos, eos, unk, pad, sep, cls, mask;
  std::vector<TokenId> end_of_generation;  // ids after which an answer is over: eos, end of turn ...; ascending
};

class StreamingDecoder;

class Tokenizer {  // Immutable; safe on several threads.
 public:
  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  // Invalid UTF-8 is read as U+FFFD. Fails only for a text of 2 GiB and more and where a tokenizer file's pattern
  // searches without end (both kResourceExhausted).
  Result<std::vector<TokenId>> Encode(std::string_view text, const EncodeOptions& options = {}) const;
  Result<Encoding> EncodeWithOffsets(std::string_view text, const EncodeOptions& options = {}) const;
  // Two texts as one input: question and context, premise and hypothesis.
  Result<Encoding> EncodePair(std::string_view first, std::string_view second, const EncodeOptions& options = {}) const;
  // Valid UTF-8, with U+FFFD where tokens hold broken characters. Ids that do not exist add nothing.
  std::string Decode(std::span<const TokenId> ids, bool skip_special_tokens = false) const;

  size_t vocabulary_size() const;  // one past the highest id

  // The token as the vocabulary spells it: "Ġworld", "▁world", "<0x0A>", "<|im_end|>"; empty for an id that does not
  // exist. The view lives as long as the tokenizer.
  std::string_view Piece(TokenId id) const;
  std::optional<TokenId> Find(std::string_view piece) const;
  bool IsSpecial(TokenId id) const;  // a control token: not a part of the text

  const SpecialTokens& special_tokens() const;

  struct Parts;  // tokenizer_parts.h: what readers of file formats put together
  static Result<std::unique_ptr<Tokenizer>> Create(Parts parts);

 private:
  friend class StreamingDecoder;
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Decodes token by token. What it returns is whole characters, and everything it returned is together what Decode
// makes of the same ids. Bytes that do not yet make a character wait for the next token.
class StreamingDecoder {
 public:
  explicit StreamingDecoder(const Tokenizer& tokenizer, bool skip_special_tokens = false);
  StreamingDecoder(StreamingDecoder&&) noexcept;
  StreamingDecoder& operator=(StreamingDecoder&&) noexcept;
  ~StreamingDecoder();

  std::string Push(TokenId id);
  std::string Finish();  // what is still held back; the decoder is as new afterwards

 private:
  struct State;
  const Tokenizer* tokenizer_;
  bool skip_special_tokens_;
  std::unique_ptr<State> state_;
};

}  // namespace bothy
