#include "text/token_bytes.h"

#include <charconv>
#include <optional>

#include "text/byte_alphabet.h"

namespace bothy {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// A token that stands for itself, to begin a text with.
std::optional<TokenId> FindLetter(const Tokenizer& tokenizer) {
  for (char c = 'a'; c <= 'z'; c++) {
    const std::string letter(1, c);
    const auto id = tokenizer.Find(letter);
    if (id && !tokenizer.IsSpecial(*id) && tokenizer.Decode({&*id, 1}) == letter) return id;
  }
  return std::nullopt;
}

// The bytes of a piece that is not whole characters.
std::string BrokenBytes(std::string_view piece) {
  if (piece.size() == 6 && piece.starts_with("<0x") && piece.ends_with('>')) {
    uint8_t byte = 0;
    const auto [last, error] = std::from_chars(piece.data() + 3, piece.data() + 5, byte, 16);
    if (error == std::errc() && last == piece.data() + 5) return std::string(1, static_cast<char>(byte));
  }
  return FromByteAlphabet(piece).value_or(std::string());
}

}  // namespace

TokenBytes BytesOfTokens(const Tokenizer& tokenizer) {
  TokenBytes tokens;
  tokens.bytes.resize(tokenizer.vocabulary_size());
  const std::optional<TokenId> letter = FindLetter(tokenizer);
  const std::string beginning = letter ? tokenizer.Decode({&*letter, 1}) : std::string();
  StreamingDecoder decoder(tokenizer);
  for (size_t i = 0; i < tokens.bytes.size(); i++) {
    const auto id = static_cast<TokenId>(i);
    if (tokenizer.IsSpecial(id) || tokenizer.Piece(id).empty()) continue;
    std::string text;
    if (letter) text += decoder.Push(*letter);
    text += decoder.Push(id);
    text += decoder.Finish();
    if (!text.starts_with(beginning)) continue;
    text.erase(0, beginning.size());
    const bool broken = text.find(kReplacement) != std::string::npos &&
                        tokenizer.Piece(id).find(kReplacement) == std::string_view::npos;
    tokens.bytes[i] = broken ? BrokenBytes(tokenizer.Piece(id)) : std::move(text);
    if (!tokens.drops_first_space && tokens.bytes[i].size() > 1 && tokens.bytes[i].starts_with(' ')) {
      tokens.drops_first_space = tokenizer.Decode({&id, 1}) == tokens.bytes[i].substr(1);
    }
  }
  return tokens;
}

}  // namespace bothy
