// Addresses to which large files are sent, and from which they are fetched, without a login: clients of git-lfs send
// none there. Whoever asked for the address had the right, and the ticket in it says to what.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hub/signatures.h"

namespace bothy {

struct LfsTicket {
  enum class Purpose { kUpload, kDownload };

  Purpose purpose = Purpose::kDownload;
  int64_t repository_id = 0;
  int64_t user_id = 0;  // 0: nobody
  std::string sha256;   // 64 lower-case hexadecimal digits
  uint64_t size = 0;

  bool operator==(const LfsTicket&) const = default;
};

// Long enough for the last part of a file of 100 GB at 40 Mbit/s.
inline constexpr std::chrono::hours kLfsTicketLifetime{6};

std::string SignLfsTicket(const Signatures& signatures, const LfsTicket& ticket, Timestamp expires);

// Nothing where it was not signed here, or not for this purpose and this content, or is too old.
std::optional<LfsTicket> OpenLfsTicket(const Signatures& signatures, LfsTicket::Purpose purpose,
                                       std::string_view sha256, std::string_view text);

}  // namespace bothy
