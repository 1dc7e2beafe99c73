#include "codec/xet/hash.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/hex.h"

namespace bothy::xet {
namespace {

// The keys of the specification.
constexpr Blake3Key Key(const std::array<uint8_t, 32>& bytes) {
  Blake3Key key;
  for (size_t i = 0; i < 32; i++) key[i] = static_cast<std::byte>(bytes[i]);
  return key;
}
constexpr Blake3Key kChunkKey = Key({102, 151, 245, 119, 91,  149, 80, 222, 49,  53,  203, 172, 165, 151, 24,  28,
                                     157, 228, 33,  16,  155, 235, 43, 88,  180, 208, 176, 75,  147, 173, 242, 41});
constexpr Blake3Key kNodeKey = Key({1,  126, 197, 199, 165, 71,  41,  150, 253, 148, 102, 102, 180, 138, 2,   230,
                                    93, 221, 83,  111, 55,  199, 109, 210, 248, 99,  82,  230, 74,  83,  113, 63});
constexpr Blake3Key kRangeKey = Key({127, 24,  87, 214, 206, 86,  237, 102, 18, 127, 249, 19,  231, 165, 195, 243,
                                     164, 205, 38, 213, 181, 219, 73,  230, 65, 36,  152, 127, 40,  251, 148, 195});

std::array<std::byte, 32> ReverseWords(std::array<std::byte, 32> bytes) {
  for (auto word = bytes.begin(); word != bytes.end(); word += 8) std::reverse(word, word + 8);
  return bytes;
}

}  // namespace

std::string ToText(const Hash& hash) { return EncodeHex(ReverseWords(hash.bytes)); }

std::optional<Hash> FromText(std::string_view text) {
  Hash hash;
  if (!DecodeHex(text, hash.bytes)) return std::nullopt;
  hash.bytes = ReverseWords(hash.bytes);
  return hash;
}

Digest256 Sha256FromShard(const Hash& hash) { return ReverseWords(hash.bytes); }
Hash Sha256ForShard(const Digest256& digest) { return {ReverseWords(digest)}; }

Hash ChunkHash(std::span<const std::byte> raw) { return {Blake3KeyedHash(kChunkKey, raw)}; }

Hash RangeHash(std::span<const Hash> chunks) { return {Blake3KeyedHash(kRangeKey, std::as_bytes(chunks))}; }

Hash KeyedChunkHash(const Hash& key, const Hash& chunk) {
  return key == Hash{} ? chunk : Hash{Blake3KeyedHash(key.bytes, chunk.bytes)};
}

Hash FileHash(const Hash& root) { return root == Hash{} ? root : Hash{Blake3KeyedHash(Blake3Key{}, root.bytes)}; }

void TreeHasher::Add(const Hash& hash, uint64_t size) { AddTo(0, {hash, size}); }

void TreeHasher::AddTo(size_t level, const Node& node) {
  if (level == levels_.size()) levels_.emplace_back();
  Level& to = levels_[level];
  to.open[to.count++] = node;
  // A group ends after its third to eighth node where that node's hash says so and another follows it, and after the
  // ninth at the latest.
  if (to.count >= 4 && to.open[to.count - 2].hash.Word(3) % 4 == 0) {
    Group(level, to.count - 1);
  } else if (to.count == kMaxGroup) {
    Group(level, kMaxGroup);
  }
}

// Replaces the first `count` nodes of the open group by their parent in the level above.
void TreeHasher::Group(size_t level, size_t count) {
  Level& from = levels_[level];
  std::string text;
  text.reserve(kMaxGroup * 88);
  uint64_t size = 0;
  for (size_t i = 0; i < count; i++) {
    text += ToText(from.open[i].hash);
    text += " : ";
    text += std::to_string(from.open[i].size);
    text += '\n';
    size += from.open[i].size;
  }
  std::copy(from.open.begin() + static_cast<ptrdiff_t>(count), from.open.begin() + static_cast<ptrdiff_t>(from.count),
            from.open.begin());
  from.count -= count;
  from.grouped = true;
  AddTo(level + 1, {{Blake3KeyedHash(kNodeKey, std::as_bytes(std::span(text)))}, size});
}

Hash TreeHasher::Finish() {
  Hash root;
  for (size_t level = 0; level < levels_.size(); level++) {
    if (levels_[level].count == 1 && !levels_[level].grouped) {  // alone in its level
      root = levels_[level].open[0].hash;
      break;
    }
    if (levels_[level].count > 0) Group(level, levels_[level].count);
  }
  levels_.clear();
  return root;
}

}  // namespace bothy::xet
