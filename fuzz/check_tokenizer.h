// What every target that opens a tokenizer does with it: encodes, decodes, and checks what holds for any tokenizer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace bothy {

// Pushes ids one by one; everything that comes out is whole characters.
inline std::string DecodeStreaming(StreamingDecoder& decoder, const std::vector<TokenId>& ids) {
  std::string text;
  for (const TokenId id : ids) {
    const std::string piece = decoder.Push(id);
    CHECK(FindInvalidUtf8(piece) == std::string::npos);
    text += piece;
  }
  const std::string rest = decoder.Finish();
  CHECK(FindInvalidUtf8(rest) == std::string::npos);
  return text + rest;
}

inline void CheckDecoding(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  for (const bool skip : {false, true}) {
    const std::string whole = tokenizer.Decode(ids, skip);
    StreamingDecoder decoder(tokenizer, skip);
    CHECK(DecodeStreaming(decoder, ids) == whole);
    CHECK(DecodeStreaming(decoder, ids) == whole);  // as new after Finish
  }
}

inline void CheckEncoding(const Tokenizer& tokenizer, const Encoding& encoding, size_t characters) {
  CHECK(encoding.offsets.size() == encoding.ids.size());
  CHECK(encoding.type_ids.size() == encoding.ids.size());
  for (const TextSpan span : encoding.offsets) CHECK(span.begin <= span.end && span.end <= characters);
  for (const TokenId id : encoding.ids) {
    CHECK(id >= 0 && static_cast<size_t>(id) < tokenizer.vocabulary_size());
  }
}

inline void CheckTokenizer(const Tokenizer& tokenizer, std::string_view text) {
  std::string repaired;
  AppendRepairedUtf8(repaired, text);
  const size_t characters = CountUtf8(repaired);
  using Special = EncodeOptions::Special;
  for (const EncodeOptions& options :
       {EncodeOptions{}, EncodeOptions{true, Special::kParse}, EncodeOptions{false, Special::kText}}) {
    const auto ids = tokenizer.Encode(text, options);
    const auto encoding = tokenizer.EncodeWithOffsets(text, options);
    CHECK(ids.has_value() == encoding.has_value());
    if (!ids) {
      CHECK(ids.error().code == ErrorCode::kResourceExhausted);
      return;
    }
    CHECK(*ids == encoding->ids);
    CheckEncoding(tokenizer, *encoding, characters);
    CheckDecoding(tokenizer, *ids);
  }
  const std::string_view half = std::string_view(repaired).substr(0, repaired.size() / 2);
  if (const auto pair = tokenizer.EncodePair(half, text, {.add_special_tokens = true})) {
    CheckEncoding(tokenizer, *pair, characters);
  }
  // Ids that no encoder would make, some of which do not exist.
  std::vector<TokenId> ids;
  for (const char c : text) ids.push_back(static_cast<signed char>(c));
  CheckDecoding(tokenizer, ids);
  for (TokenId id = -1; id < 300; id++) {
    if (const std::string_view piece = tokenizer.Piece(id); !piece.empty()) CHECK(tokenizer.Find(piece));
  }
}

}  // namespace bothy
