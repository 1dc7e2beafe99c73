// Shards (hub-docs, xet/shard.md 1.1.0): lists of files, as ranges of chunks in xorbs, and of xorbs, as lists of
// chunks. Clients send one to register files; a server answers one to say which chunks it has.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "codec/xet/xorb_format.h"

namespace bothy::xet {

// Clients aim at 64 MiB and go a little over it.
inline constexpr uint64_t kMaxShardBytes = 72 << 20;

// A part of a file: chunks [chunk_begin, chunk_end) of a xorb, together raw_bytes long.
struct Segment {
  Hash xorb;
  uint32_t flags = 0;
  uint32_t raw_bytes = 0;
  uint32_t chunk_begin = 0, chunk_end = 0;
  bool operator==(const Segment&) const = default;
};

struct ShardFile {
  Hash hash;
  std::vector<Segment> segments;
  std::vector<Hash> range_hashes;   // of each segment, or none at all
  std::optional<Digest256> sha256;  // as everybody else writes it
  bool operator==(const ShardFile&) const = default;
};

struct ShardChunk {
  Hash hash;  // keyed where the footer has a key
  uint32_t raw_begin = 0;
  uint32_t raw_bytes = 0;
  uint32_t flags = 0;  // kMayBeAskedFor
  bool operator==(const ShardChunk&) const = default;
};
inline constexpr uint32_t kMayBeAskedFor = uint32_t{1} << 31;

struct ShardXorb {
  Hash hash;
  uint32_t flags = 0;
  uint32_t raw_bytes = 0;
  uint32_t stored_bytes = 0;  // 0 where it is not known
  std::vector<ShardChunk> chunks;
  bool operator==(const ShardXorb&) const = default;
};

struct ShardFooter {
  Hash key;                 // of the chunk hashes; zeros: they are as they are
  uint64_t created = 0;     // seconds since 1970
  uint64_t key_expiry = 0;  // likewise; after it the chunks are not to be relied on
  uint64_t stored_bytes_on_disk = 0, materialized_bytes = 0, stored_bytes = 0;
  bool operator==(const ShardFooter&) const = default;
};

struct Shard {
  std::vector<ShardFile> files;
  std::vector<ShardXorb> xorbs;
  std::optional<ShardFooter> footer;
  bool operator==(const Shard&) const = default;
};

// Every field is checked for itself: bounds, sums, and that nothing is left over. Whether a hash is that of what it
// names, only who has the chunks can tell. Lookup tables before the footer are skipped, whatever they say.
// kCorrupt, kUnimplemented (another version), kResourceExhausted (more than kMaxShardBytes).
Result<Shard> ReadShard(const ByteSource& source);

enum class LookupTables { kNone, kAll };

// Without lookup tables where there is no footer to tell where they are.
std::vector<std::byte> WriteShard(const Shard& shard, LookupTables tables = LookupTables::kNone);

}  // namespace bothy::xet
