// git's framing of what it sends (gitprotocol-common): four hexadecimal digits that count themselves and what follows,
// or one of three marks without content.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy::api {

struct Packet {
  enum class Kind { kData, kFlush, kDelimiter, kResponseEnd };

  Kind kind = Kind::kFlush;
  std::string_view data;  // of kData
  size_t bytes = 0;       // of all of it
};

inline constexpr size_t kPacketHead = 4;
inline constexpr size_t kMaxPacket = 65520;
inline constexpr size_t kMaxPacketData = kMaxPacket - kPacketHead;
inline constexpr std::string_view kFlushPacket = "0000";

// How long the packet is whose first kPacketHead bytes are given. kCorrupt for a length that is none.
Result<size_t> PacketBytes(std::string_view head);

// The packet that `text` begins with; nothing where more of it is still to come. kCorrupt.
Result<std::optional<Packet>> ReadPacket(std::string_view text);

// At most kMaxPacketData bytes.
void AppendPacket(std::string& out, std::string_view data);

// Side bands (side-band-64k) carry several streams in one, packet by packet.
enum class Band : char { kData = 1, kProgress = 2, kFatal = 3 };

// Any number of bytes, in as many packets as they need.
void AppendBand(std::string& out, Band band, std::string_view data);

}  // namespace bothy::api
