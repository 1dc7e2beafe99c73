#include "crypto/blake3_lanes.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "crypto/blake3_lanes.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep

#include <hwy/highway.h>

// A vector holds one state word of as many messages as it has lanes. A compression is 7 rounds of 8 mixes of 6
// additions, 4 exclusive ors and 4 rotations; without a rotate instruction two of these are byte shuffles and two are
// two shifts and an or, so 1008 operations, of which AVX2 on Zen 3 does four a cycle: 252 cycles for 8 x 64 bytes, two
// bytes a cycle. Turning the words of 8 blocks into lanes adds 48 operations. What is reached is 1.1 bytes a cycle
// (docs/performance.md): 16 state words and what is under way are more than 16 registers hold.

HWY_BEFORE_NAMESPACE();
namespace bothy::internal::blake3::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

#if HWY_HAVE_SCALABLE || HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// No vectors, or vectors whose width is not known here and which cannot be held in arrays.
void HashChunksImpl(const std::byte* bytes, size_t size, const uint32_t* key, uint64_t counter, uint32_t flags,
                    Words* out) {
  for (size_t chunk = 0; chunk * kChunk < size; chunk++) {
    const std::byte* begin = bytes + chunk * kChunk;
    const size_t chunk_size = std::min(kChunk, size - chunk * kChunk);
    std::copy_n(key, 8, out[chunk].begin());
    for (size_t offset = 0; offset < chunk_size; offset += kBlock) {
      const size_t block_size = std::min(kBlock, chunk_size - offset);
      std::byte block[kBlock] = {};
      std::copy_n(begin + offset, block_size, block);
      const uint32_t start = offset == 0 ? kChunkStart : 0, end = offset + kBlock >= chunk_size ? kChunkEnd : 0;
      out[chunk] = Compress(out[chunk], block, counter + chunk, static_cast<uint32_t>(block_size), flags | start | end);
    }
  }
}

void HashParentsImpl(const Words* children, size_t parents, const uint32_t* key, uint32_t flags, Words* out) {
  Words value;
  std::copy_n(key, 8, value.begin());
  for (size_t i = 0; i < parents; i++) {
    std::byte block[kBlock];
    std::memcpy(block, &children[2 * i], kBlock);
    out[i] = Compress(value, block, 0, kBlock, flags | kParent);
  }
}

#else

using D = hn::CappedTag<uint32_t, 16>;
using V = hn::Vec<D>;
constexpr size_t kLanes = hn::MaxLanes(D());
static_assert(kLanes >= 4);

template <int kBits>
HWY_INLINE V Rotate(V v) {
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
  return hn::RotateRight<kBits>(v);
#else
  if constexpr (kBits % 8 == 0) {
    const hn::Repartition<uint8_t, D> bytes;
    alignas(16) static constexpr uint8_t k16[16] = {2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13};
    alignas(16) static constexpr uint8_t k8[16] = {1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12};
    const auto order = hn::LoadDup128(bytes, kBits == 16 ? k16 : k8);
    return hn::BitCast(D(), hn::TableLookupBytes(hn::BitCast(bytes, v), order));
  } else {
    return hn::Or(hn::ShiftRight<kBits>(v), hn::ShiftLeft<32 - kBits>(v));
  }
#endif
}

HWY_INLINE void Mix(V& a, V& b, V& c, V& d, V x, V y) {
  a = hn::Add(hn::Add(a, x), b);
  d = Rotate<16>(hn::Xor(d, a));
  c = hn::Add(c, d);
  b = Rotate<12>(hn::Xor(b, c));
  a = hn::Add(hn::Add(a, y), b);
  d = Rotate<8>(hn::Xor(d, a));
  c = hn::Add(c, d);
  b = Rotate<7>(hn::Xor(b, c));
}

// A mix is one long dependency; four that follow each other have nothing in common and run side by side.
template <size_t kRound>
HWY_INLINE void Round(V* v, const V* m) {
  constexpr auto& s = kSchedule[kRound];
  Mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
  Mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
  Mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
  Mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
  Mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
  Mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
  Mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
  Mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
}

// 16 bytes of every fourth message: those of inputs[4 i] in 128-bit block i.
template <class Tag>
HWY_INLINE hn::Vec<Tag> LoadEveryFourth(Tag tag, const std::byte* const* inputs, size_t offset) {
  if constexpr (hn::MaxLanes(Tag()) == 4) {
    return hn::LoadU(tag, reinterpret_cast<const uint32_t*>(inputs[0] + offset));
  } else {
    const hn::Half<Tag> half;
    return hn::Combine(tag, LoadEveryFourth(half, inputs + hn::MaxLanes(half), offset),
                       LoadEveryFourth(half, inputs, offset));
  }
}

// m[w] = word w of the block at `offset` of every message.
HWY_INLINE void LoadBlock(const std::byte* const* inputs, size_t offset, V* m) {
  const D d;
  const hn::Repartition<uint64_t, D> pairs;
  for (size_t w = 0; w < 16; w += 4) {
    const V a0 = LoadEveryFourth(d, inputs + 0, offset + 4 * w), a1 = LoadEveryFourth(d, inputs + 1, offset + 4 * w);
    const V a2 = LoadEveryFourth(d, inputs + 2, offset + 4 * w), a3 = LoadEveryFourth(d, inputs + 3, offset + 4 * w);
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, a0, a1));
    const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, a2, a3));
    const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, a0, a1));
    const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, a2, a3));
    m[w + 0] = hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23));
    m[w + 1] = hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23));
    m[w + 2] = hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23));
    m[w + 3] = hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23));
  }
}

HWY_INLINE void CompressLanes(V* value, const std::byte* const* inputs, size_t offset, V counter_low, V counter_high,
                              V size, V flags) {
  const D d;
  V m[16];
  LoadBlock(inputs, offset, m);
  V v[16] = {value[0],
             value[1],
             value[2],
             value[3],
             value[4],
             value[5],
             value[6],
             value[7],
             hn::Set(d, kInitial[0]),
             hn::Set(d, kInitial[1]),
             hn::Set(d, kInitial[2]),
             hn::Set(d, kInitial[3]),
             counter_low,
             counter_high,
             size,
             flags};
  Round<0>(v, m);
  Round<1>(v, m);
  Round<2>(v, m);
  Round<3>(v, m);
  Round<4>(v, m);
  Round<5>(v, m);
  Round<6>(v, m);
  for (size_t i = 0; i < 8; i++) value[i] = hn::Xor(v[i], v[i + 8]);
}

HWY_INLINE void SetAll(const uint32_t* key, V* value) {
  for (size_t i = 0; i < 8; i++) value[i] = hn::Set(D(), key[i]);
}

// Writes lanes [first, last) to out[first], ...
HWY_INLINE void StoreLanes(const V* value, size_t first, size_t last, Words* out) {
  HWY_ALIGN uint32_t words[8][kLanes];
  for (size_t i = 0; i < 8; i++) hn::Store(value[i], D(), words[i]);
  for (size_t lane = first; lane < last; lane++) {
    for (size_t i = 0; i < 8; i++) out[lane][i] = words[i][lane];
  }
}

// At most kLanes chunks, of which the last may be short.
void HashFewChunks(const std::byte* bytes, size_t size, const uint32_t* key, uint64_t counter, uint32_t flags,
                   Words* out) {
  const D d;
  const size_t count = (size + kChunk - 1) / kChunk;
  const size_t last_size = size - (count - 1) * kChunk;
  const size_t last_block = (last_size - 1) / kBlock;  // of the last chunk
  const std::byte* inputs[kLanes];
  for (size_t lane = 0; lane < kLanes; lane++) inputs[lane] = bytes + kChunk * (lane < count ? lane : 0);
  std::byte padded[kChunk];
  if (size % kChunk != 0) {
    std::memset(padded, 0, kChunk);
    std::memcpy(padded, inputs[count - 1], last_size);
    for (size_t lane = 0; lane < kLanes; lane++) {
      if (lane == count - 1 || count == 1) inputs[lane] = padded;
    }
  }
  HWY_ALIGN uint32_t low[kLanes], high[kLanes], sizes[kLanes], ends[kLanes];
  for (size_t lane = 0; lane < kLanes; lane++) {
    low[lane] = static_cast<uint32_t>(counter + lane);
    high[lane] = static_cast<uint32_t>((counter + lane) >> 32);
    const bool last = lane == count - 1;
    sizes[lane] = last ? static_cast<uint32_t>(last_size - last_block * kBlock) : kBlock;
    ends[lane] = last ? flags | kChunkEnd : flags;
  }
  const V counter_low = hn::Load(d, low), counter_high = hn::Load(d, high);
  V value[8];
  SetAll(key, value);
  const size_t blocks = count == 1 ? last_block + 1 : kBlocks;
  for (size_t block = 0; block < blocks; block++) {
    V block_sizes = hn::Set(d, static_cast<uint32_t>(kBlock)), block_flags = hn::Set(d, flags);
    if (block == last_block) {
      block_sizes = hn::Load(d, sizes);
      block_flags = hn::Load(d, ends);
    }
    if (block == 0) block_flags = hn::Or(block_flags, hn::Set(d, kChunkStart));
    if (block == kBlocks - 1) block_flags = hn::Or(block_flags, hn::Set(d, kChunkEnd));
    CompressLanes(value, inputs, block * kBlock, counter_low, counter_high, block_sizes, block_flags);
    if (block == last_block) StoreLanes(value, count - 1, count, out);
  }
  StoreLanes(value, 0, last_block + 1 == kBlocks ? count : count - 1, out);
}

void HashChunksImpl(const std::byte* bytes, size_t size, const uint32_t* key, uint64_t counter, uint32_t flags,
                    Words* out) {
  constexpr size_t kStep = kLanes * kChunk;
  for (size_t offset = 0; offset < size; offset += kStep) {
    HashFewChunks(bytes + offset, std::min(kStep, size - offset), key, counter, flags, out);
    counter += kLanes;
    out += kLanes;
  }
}

void HashParentsImpl(const Words* children, size_t parents, const uint32_t* key, uint32_t flags, Words* out) {
  const D d;
  const V none = hn::Zero(d), size = hn::Set(d, static_cast<uint32_t>(kBlock)), all = hn::Set(d, flags | kParent);
  for (size_t first = 0; first < parents; first += kLanes) {
    const size_t count = std::min(kLanes, parents - first);
    const std::byte* inputs[kLanes];
    for (size_t lane = 0; lane < kLanes; lane++) {
      inputs[lane] = reinterpret_cast<const std::byte*>(children + 2 * (first + (lane < count ? lane : 0)));
    }
    V value[8];
    SetAll(key, value);
    CompressLanes(value, inputs, 0, none, none, size, all);
    StoreLanes(value, 0, count, out + first);
  }
}

#endif

}  // namespace

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace bothy::internal::blake3::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bothy::internal::blake3 {

HWY_EXPORT(HashChunksImpl);
HWY_EXPORT(HashParentsImpl);

void HashChunks(std::span<const std::byte> bytes, const Words& key, uint64_t counter, uint32_t flags, Words* out) {
  HWY_DYNAMIC_DISPATCH(HashChunksImpl)(bytes.data(), bytes.size(), key.data(), counter, flags, out);
}

void HashParents(const Words* children, size_t parents, const Words& key, uint32_t flags, Words* out) {
  HWY_DYNAMIC_DISPATCH(HashParentsImpl)(children, parents, key.data(), flags, out);
}

}  // namespace bothy::internal::blake3
#endif
