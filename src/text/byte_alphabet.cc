#include "text/byte_alphabet.h"

#include <array>

#include "text/utf8.h"

namespace bothy {
namespace {

struct Alphabet {
  std::array<char32_t, 256> chars{};
  std::array<uint8_t, 68> others{};
  constexpr Alphabet() {
    uint32_t extra = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
      if (IsPrintableByte(byte)) {
        chars[byte] = byte;
      } else {
        others[extra] = static_cast<uint8_t>(byte);
        chars[byte] = 256 + extra++;
      }
    }
  }
};
constexpr Alphabet kAlphabet;

}  // namespace

char32_t CharOfByte(uint8_t byte) { return kAlphabet.chars[byte]; }

std::optional<uint8_t> ByteOfChar(char32_t code) {
  if (code < 256) {
    if (!IsPrintableByte(code)) return std::nullopt;
    return static_cast<uint8_t>(code);
  }
  if (code >= 256 + kAlphabet.others.size()) return std::nullopt;
  return kAlphabet.others[code - 256];
}

std::string ToByteAlphabet(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) AppendUtf8(text, CharOfByte(static_cast<uint8_t>(byte)));
  return text;
}

std::optional<std::string> FromByteAlphabet(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = ReadUtf8(text.data() + i);
    const auto byte = ByteOfChar(c.code);
    if (!byte) return std::nullopt;
    bytes.push_back(static_cast<char>(*byte));
    i += c.size;
  }
  return bytes;
}

}  // namespace bothy
