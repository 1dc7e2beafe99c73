// Base64 (RFC 4648), in which text carries bytes: with + and /, and with - and _ for addresses.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bothy {

// With padding.
std::string EncodeBase64(std::span<const std::byte> bytes);

// - and _ for + and /, without padding: safe in addresses, headers and file names.
std::string EncodeBase64Url(std::span<const std::byte> bytes);

// Nothing where a character does not belong there or bits are left over. Padding may be missing.
std::optional<std::string> DecodeBase64(std::string_view text);
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace bothy
