#include "api/git/pkt_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/hex.h"

namespace bothy::api {

namespace {

// The number that the first four digits are.
Result<size_t> Number(std::string_view head) {
  std::array<std::byte, 2> digits;
  if (!DecodeHex(head.substr(0, kPacketHead), digits)) {
    return Fail(ErrorCode::kCorrupt, "a packet's length: expected four hexadecimal digits");
  }
  const size_t number = std::to_integer<size_t>(digits[0]) << 8 | std::to_integer<size_t>(digits[1]);
  if (number == 3 || number > kMaxPacket) {
    return Fail(ErrorCode::kCorrupt, "a packet's length: expected at most {}, found {}", kMaxPacket, number);
  }
  return number;
}

}  // namespace

Result<size_t> PacketBytes(std::string_view head) { return std::max(kPacketHead, TRY(Number(head))); }

Result<std::optional<Packet>> ReadPacket(std::string_view text) {
  if (text.size() < kPacketHead) return std::nullopt;
  using enum Packet::Kind;
  const size_t number = TRY(Number(text));
  switch (number) {
    case 0: return Packet{.kind = kFlush, .bytes = kPacketHead};
    case 1: return Packet{.kind = kDelimiter, .bytes = kPacketHead};
    case 2: return Packet{.kind = kResponseEnd, .bytes = kPacketHead};
    default: break;
  }
  if (text.size() < number) return std::nullopt;
  return Packet{.kind = kData, .data = text.substr(kPacketHead, number - kPacketHead), .bytes = number};
}

void AppendPacket(std::string& out, std::string_view data) {
  CHECK(data.size() <= kMaxPacketData);
  fmt::format_to(std::back_inserter(out), "{:04x}{}", kPacketHead + data.size(), data);
}

void AppendBand(std::string& out, Band band, std::string_view data) {
  constexpr size_t kMaxBandData = kMaxPacketData - 1;
  while (!data.empty()) {
    const std::string_view piece = data.substr(0, kMaxBandData);
    fmt::format_to(std::back_inserter(out), "{:04x}{}{}", kPacketHead + 1 + piece.size(), static_cast<char>(band),
                   piece);
    data.remove_prefix(piece.size());
  }
}

}  // namespace bothy::api
