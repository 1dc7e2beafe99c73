// The hashes of Xet (hub-docs, xet/hashing.md 1.1.0, and xet-core's aggregated hashes): of chunks, of xorbs and files,
// which are trees over their chunks, and of ranges of chunks, which prove that a sender has them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/blake3.h"

namespace bothy::xet {

// Four little-endian words. A type of its own, because its text is not the hexadecimal digits of its bytes.
struct Hash {
  std::array<std::byte, 32> bytes{};

  uint64_t Word(size_t i) const {
    uint64_t word;
    std::memcpy(&word, bytes.data() + 8 * i, sizeof(word));
    return word;
  }
  bool operator==(const Hash&) const = default;
  auto operator<=>(const Hash&) const = default;
};

// For unordered containers: a hash is as good as random already.
struct HashOfHash {
  size_t operator()(const Hash& hash) const { return static_cast<size_t>(hash.Word(0)); }
};

// The text of addresses and JSON: each word as 16 digits, so that the bytes of every eight come in reverse.
std::string ToText(const Hash& hash);
std::optional<Hash> FromText(std::string_view text);  // exactly 64 digits of either case

// A SHA-256 lies in shards with the bytes of every eight reversed, because their writers take its text for a Hash's.
Digest256 Sha256FromShard(const Hash& hash);
Hash Sha256ForShard(const Digest256& digest);

Hash ChunkHash(std::span<const std::byte> raw);

// What proves that a sender has the chunks of a range: it depends on all of their hashes, in order.
Hash RangeHash(std::span<const Hash> chunks);

// The chunk hashes of an answer to a deduplication query, by which only who has the chunk can find it. With a key of
// zeros they are as they are.
Hash KeyedChunkHash(const Hash& key, const Hash& chunk);

// Clients ask for chunks that are first in a file, and for these.
inline bool IsAskedFor(const Hash& chunk) { return chunk.Word(3) % 1024 == 0; }

// The root of the tree over a list of chunks, of any length in little memory: a level keeps the nodes of its open
// group, of which there are never more than nine.
class TreeHasher {
 public:
  void Add(const Hash& hash, uint64_t size);

  // The hash of a xorb that consists of these chunks; zeros where there are none. The object then begins anew.
  Hash Finish();

 private:
  static constexpr size_t kMaxGroup = 9;
  struct Node {
    Hash hash;
    uint64_t size = 0;
  };
  struct Level {
    std::array<Node, kMaxGroup> open;
    size_t count = 0;
    bool grouped = false;  // some of its nodes are in the level above
  };

  void AddTo(size_t level, const Node& node);
  void Group(size_t level, size_t count);

  std::vector<Level> levels_;
};

// The hash of a file whose chunks have this root; zeros where it is empty.
Hash FileHash(const Hash& root);

}  // namespace bothy::xet
