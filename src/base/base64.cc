#include "base/base64.h"

#include <array>
#include <cstdint>

namespace bothy {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<int8_t, 256> ValuesOf(std::string_view alphabet) {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (size_t i = 0; i < alphabet.size(); i++) values[static_cast<uint8_t>(alphabet[i])] = static_cast<int8_t>(i);
  return values;
}

std::string Encode(std::span<const std::byte> bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  uint32_t bits = 0;
  int count = 0;
  for (const std::byte byte : bytes) {
    bits = bits << 8 | std::to_integer<uint32_t>(byte);
    for (count += 8; count >= 6; count -= 6) text += alphabet[bits >> (count - 6) & 63];
  }
  if (count > 0) text += alphabet[bits << (6 - count) & 63];
  return text;
}

std::optional<std::string> Decode(std::string_view text, const std::array<int8_t, 256>& values) {
  for (int padding = 0; padding < 2 && text.ends_with('='); padding++) text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int8_t value = values[static_cast<uint8_t>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count & 0xFF));
  }
  if (count >= 6) return std::nullopt;  // a character that begins a byte and nothing that ends it
  return bytes;
}

}  // namespace

std::string EncodeBase64(std::span<const std::byte> bytes) {
  std::string text = Encode(bytes, kAlphabet);
  text.resize((text.size() + 3) / 4 * 4, '=');
  return text;
}

std::string EncodeBase64Url(std::span<const std::byte> bytes) { return Encode(bytes, kUrlAlphabet); }

std::optional<std::string> DecodeBase64(std::string_view text) {
  static constexpr auto kValues = ValuesOf(kAlphabet);
  return Decode(text, kValues);
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  static constexpr auto kValues = ValuesOf(kUrlAlphabet);
  return Decode(text, kValues);
}

}  // namespace bothy
