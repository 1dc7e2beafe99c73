#include "crypto/blake3.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "crypto/blake3_lanes.h"

namespace bothy {
namespace {

using namespace internal::blake3;

static_assert(std::endian::native == std::endian::little, "words are read as they lie");

// So many chunks are hashed before their parents are: their values (4 KiB) stay in the first cache, and 16 lanes are
// full for four levels.
constexpr size_t kSweep = 128;

Digest256 Bytes(const Words& words) { return std::bit_cast<Digest256>(words); }

Words Parent(const Words& left, const Words& right, const Words& key, uint32_t flags) {
  std::array<Words, 2> children = {left, right};
  return Compress(key, reinterpret_cast<const std::byte*>(children.data()), 0, kBlock, flags | kParent);
}

}  // namespace

namespace internal::blake3 {

Words Compress(const Words& value, const std::byte* block, uint64_t counter, uint32_t size, uint32_t flags) {
  std::array<uint32_t, 16> m;
  std::memcpy(m.data(), block, kBlock);
  std::array<uint32_t, 16> v;
  std::copy_n(value.begin(), 8, v.begin());
  std::copy_n(kInitial.begin(), 4, v.begin() + 8);
  v[12] = static_cast<uint32_t>(counter);
  v[13] = static_cast<uint32_t>(counter >> 32);
  v[14] = size;
  v[15] = flags;
  const auto mix = [&](size_t a, size_t b, size_t c, size_t d, uint32_t x, uint32_t y) {
    v[a] += v[b] + x;
    v[d] = std::rotr(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
    v[d] = std::rotr(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 7);
  };
  for (const auto& s : kSchedule) {
    mix(0, 4, 8, 12, m[s[0]], m[s[1]]);
    mix(1, 5, 9, 13, m[s[2]], m[s[3]]);
    mix(2, 6, 10, 14, m[s[4]], m[s[5]]);
    mix(3, 7, 11, 15, m[s[6]], m[s[7]]);
    mix(0, 5, 10, 15, m[s[8]], m[s[9]]);
    mix(1, 6, 11, 12, m[s[10]], m[s[11]]);
    mix(2, 7, 8, 13, m[s[12]], m[s[13]]);
    mix(3, 4, 9, 14, m[s[14]], m[s[15]]);
  }
  Words out;
  for (size_t i = 0; i < 8; i++) out[i] = v[i] ^ v[i + 8];
  return out;
}

}  // namespace internal::blake3

Blake3::Blake3() : key_(kInitial), flags_(0), chunk_value_(key_) {}

Blake3::Blake3(const Blake3Key& key) : key_(std::bit_cast<Words>(key)), flags_(kKeyedHash), chunk_value_(key_) {}

void Blake3::UpdateOpenChunk(std::span<const std::byte> bytes) {
  DCHECK(chunk_size_ + bytes.size() <= kChunk);
  while (!bytes.empty()) {
    size_t filled = chunk_size_ % kBlock;
    if (filled == 0 && chunk_size_ > 0) {  // the block before is full, and is not the last
      chunk_value_ = Compress(chunk_value_, block_.data(), chunk_index_, kBlock,
                              flags_ | (chunk_size_ == kBlock ? kChunkStart : 0));
    }
    const size_t taken = std::min(bytes.size(), kBlock - filled);
    std::ranges::copy(bytes.first(taken), block_.begin() + static_cast<ptrdiff_t>(filled));
    bytes = bytes.subspan(taken);
    chunk_size_ += taken;
  }
}

// Appends the root of a whole subtree of 2^level chunks, which the chunks before it allow to be there.
void Blake3::Push(const Words& value, int level) {
  Words merged = value;
  uint64_t index = chunk_index_ >> level;
  for (; (index & 1) != 0; index >>= 1) merged = Parent(stack_[--stack_size_], merged, key_, flags_);
  stack_[stack_size_++] = merged;
  chunk_index_ += uint64_t{1} << level;
}

void Blake3::Update(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (chunk_size_ == kChunk) {  // it is whole, and not the last
      const uint32_t flags = flags_ | kChunkEnd;
      const Words value = Compress(chunk_value_, block_.data(), chunk_index_, kBlock, flags);
      chunk_value_ = key_;
      chunk_size_ = 0;
      Push(value, 0);
    }
    if (chunk_size_ > 0 || bytes.size() <= kChunk) {
      const size_t taken = std::min(bytes.size(), kChunk - chunk_size_);
      UpdateOpenChunk(bytes.first(taken));
      bytes = bytes.subspan(taken);
      continue;
    }
    bytes = bytes.subspan(TakeWholeChunks(bytes.first((bytes.size() - 1) / kChunk * kChunk)));
  }
}

// Hashes as many of these whole chunks as one sweep allows, and returns how many bytes they are. No chunk is open.
size_t Blake3::TakeWholeChunks(std::span<const std::byte> bytes) {
  // A subtree may begin here that is as large as the lowest bit of the number of chunks before it.
  const uint64_t allowed = chunk_index_ == 0 ? kSweep : std::min<uint64_t>(kSweep, chunk_index_ & -chunk_index_);
  size_t count = static_cast<size_t>(std::min<uint64_t>(bytes.size() / kChunk, allowed));
  const size_t taken = count * kChunk;
  std::array<Words, kSweep> values;
  HashChunks(bytes.first(taken), key_, chunk_index_, flags_, values.data());
  // Pairs become parents, level by level; the last one of an odd number is a subtree of its own, to the right of all
  // that are above it.
  std::array<Words, std::bit_width(kSweep)> whole;
  uint32_t levels = 0;
  for (size_t level = 0; count > 0; level++, count /= 2) {
    if (count % 2 == 1) {
      whole[level] = values[count - 1];
      levels |= 1u << level;
    }
    HashParents(values.data(), count / 2, key_, flags_, values.data());
  }
  for (size_t level = whole.size(); level-- > 0;) {
    if ((levels >> level & 1) != 0) Push(whole[level], static_cast<int>(level));
  }
  return taken;
}

// The root over the subtrees of the stack and the one to the right of them. The stack is not empty.
Digest256 Blake3::MergeAll(Words right) const {
  for (size_t i = stack_size_; i > 1; i--) right = Parent(stack_[i - 1], right, key_, flags_);
  return Bytes(Parent(stack_[0], right, key_, flags_ | kRoot));
}

Digest256 Blake3::Finish() const {
  const size_t last = chunk_size_ == 0 ? 0 : (chunk_size_ - 1) % kBlock + 1;
  std::array<std::byte, kBlock> block{};
  std::copy_n(block_.begin(), last, block.begin());
  uint32_t flags = flags_ | kChunkEnd | (chunk_size_ <= kBlock ? kChunkStart : 0);
  if (stack_size_ == 0) flags |= kRoot;
  const Words value = Compress(chunk_value_, block.data(), chunk_index_, static_cast<uint32_t>(last), flags);
  return stack_size_ == 0 ? Bytes(value) : MergeAll(value);
}

Digest256 Blake3::UpdateAndFinish(std::span<const std::byte> bytes) {
  while (bytes.size() > kSweep * kChunk) bytes = bytes.subspan(TakeWholeChunks(bytes.first(kSweep * kChunk)));
  if (bytes.size() <= kChunk) {
    Update(bytes);
    return Finish();
  }
  std::array<Words, kSweep> values;
  HashChunks(bytes, key_, chunk_index_, flags_, values.data());
  size_t count = (bytes.size() + kChunk - 1) / kChunk;
  const bool root_is_here = stack_size_ == 0;
  while (count > (root_is_here ? 2 : 1)) {
    HashParents(values.data(), count / 2, key_, flags_, values.data());
    if (count % 2 == 1) values[count / 2] = values[count - 1];
    count = (count + 1) / 2;
  }
  return root_is_here ? Bytes(Parent(values[0], values[1], key_, flags_ | kRoot)) : MergeAll(values[0]);
}

Digest256 Blake3Hash(std::span<const std::byte> bytes) { return Blake3().UpdateAndFinish(bytes); }

Digest256 Blake3KeyedHash(const Blake3Key& key, std::span<const std::byte> bytes) {
  return Blake3(key).UpdateAndFinish(bytes);
}

}  // namespace bothy
