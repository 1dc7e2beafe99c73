// The name of a git object: the SHA-1 of its content, 20 bytes, written as 40 hex digits.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace bothy::git {

struct Oid {
  static constexpr size_t kBytes = 20;
  static constexpr size_t kHexDigits = 40;

  std::array<uint8_t, kBytes> bytes{};

  // Nothing unless `hex` is exactly 40 hex digits, of either case.
  static std::optional<Oid> FromHex(std::string_view hex);
  std::string ToHex() const;  // lower case

  bool IsZero() const { return *this == Oid{}; }
  auto operator<=>(const Oid&) const = default;
};

}  // namespace bothy::git

template <>
struct std::hash<bothy::git::Oid> {
  size_t operator()(const bothy::git::Oid& oid) const noexcept {
    size_t hash;  // the bytes of a digest are as good as any hash of them
    std::memcpy(&hash, oid.bytes.data(), sizeof(hash));
    return hash;
  }
};
