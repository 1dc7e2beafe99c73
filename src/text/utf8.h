// UTF-8: checking, repairing, reading and writing code points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bothy {

struct Utf8Char {
  char32_t code = 0;
  uint32_t size = 0;  // bytes
};

// Bytes of the character that starts with `first`; 1 for a byte that starts none.
constexpr uint32_t Utf8Size(char first) {
  const auto byte = static_cast<uint8_t>(first);
  if (byte < 0xC0) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : byte < 0xF8 ? 4 : 1;
}

constexpr bool IsUtf8Continuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }

// The character at `text`, which is known to be valid from there on.
constexpr Utf8Char ReadUtf8(const char* text) {
  const auto byte = [text](int i) { return static_cast<char32_t>(static_cast<uint8_t>(text[i])); };
  const char32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xE0) return {(first & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (first < 0xF0) return {(first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
}

// The character that ends before `end`, in valid text that begins at or before it.
constexpr Utf8Char ReadUtf8Before(const char* end) {
  do --end;
  while (IsUtf8Continuation(*end));
  return ReadUtf8(end);
}

void AppendUtf8(std::string& text, char32_t code);

// How the bytes at the start of `text` read as UTF-8: `size` of them are one valid character, or the longest prefix of
// one, or a single byte that fits nowhere. `complete` is false where more bytes could make the prefix whole.
struct Utf8Prefix {
  uint32_t size = 0;
  bool valid = false;
  bool complete = true;
};
Utf8Prefix InspectUtf8(std::string_view text);

// Where the first byte lies that is not valid UTF-8; npos where all are.
size_t FindInvalidUtf8(std::string_view text);

// Appends `text` with U+FFFD for each invalid part, as WHATWG, Rust and Python do: one for each longest prefix of a
// character that breaks off.
void AppendRepairedUtf8(std::string& out, std::string_view text);

// Code points in valid text.
size_t CountUtf8(std::string_view text);

}  // namespace bothy
