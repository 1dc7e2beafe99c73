#include "store/git/oid.h"

#include <span>

#include "base/hex.h"

namespace bothy::git {

std::optional<Oid> Oid::FromHex(std::string_view hex) {
  Oid oid;
  if (!DecodeHex(hex, std::as_writable_bytes(std::span(oid.bytes)))) return std::nullopt;
  return oid;
}

std::string Oid::ToHex() const { return EncodeHex(std::as_bytes(std::span(bytes))); }

}  // namespace bothy::git
