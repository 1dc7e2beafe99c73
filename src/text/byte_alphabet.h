// GPT-2's alphabet: a printable character for every byte, in which byte-level vocabularies are written ("Ġthe" is
// " the").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bothy {

// Bytes 33 to 126, 161 to 172 and 174 to 255 stand for themselves; the other 68, in order, are U+0100 and on.
constexpr bool IsPrintableByte(uint32_t byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173 && byte <= 255);
}

char32_t CharOfByte(uint8_t byte);
std::optional<uint8_t> ByteOfChar(char32_t code);

std::string ToByteAlphabet(std::string_view bytes);
// Nothing where a character is not of the alphabet. `text` is valid UTF-8.
std::optional<std::string> FromByteAlphabet(std::string_view text);

}  // namespace bothy
