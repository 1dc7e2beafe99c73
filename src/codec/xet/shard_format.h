// The constants of a shard's bytes, for its reader and its writer.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "codec/xet/hash.h"

namespace bothy::xet {

inline constexpr std::array<uint8_t, 17> kShardMagic = {85,  105, 103, 69, 106, 123, 129, 87, 131,
                                                        165, 189, 217, 92, 205, 209, 74,  169};
inline constexpr std::string_view kShardTag = {"HFRepoMetaData\0", 15};

inline constexpr uint64_t kShardVersion = 2, kShardFooterVersion = 1;

// Everything between the header and the lookup tables consists of records of this size.
inline constexpr uint64_t kRecord = 48;
inline constexpr uint64_t kShardFooter = 200;

inline constexpr uint32_t kHasRangeHashes = uint32_t{1} << 31, kHasMetadata = uint32_t{1} << 30;

// Ends a list of files or xorbs in place of a hash.
inline constexpr Hash kEndOfList = [] {
  Hash hash;
  for (std::byte& byte : hash.bytes) byte = std::byte{0xff};
  return hash;
}();

// An entry of the lookup tables of files and of xorbs, and of that of chunks.
inline constexpr uint64_t kLookup = 12, kChunkLookup = 16;

}  // namespace bothy::xet
