// Bytes as hexadecimal digits, in which hashes are written.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace bothy {

// Two lower-case digits a byte.
std::string EncodeHex(std::span<const std::byte> bytes);

// Fills `out` from exactly twice as many digits of either case; false, and `out` is anything, where `text` is not that.
[[nodiscard]] bool DecodeHex(std::string_view text, std::span<std::byte> out);

}  // namespace bothy
