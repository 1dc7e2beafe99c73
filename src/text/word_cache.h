// Remembers the tokens of short words: text is mostly the same words again and again.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "text/merge_table.h"

namespace bothy {

// One slot for each of 2^15 hashes, 2 MiB: what comes later takes the place of what was there. For one thread.
class WordCache {
 public:
  static constexpr size_t kMaxWord = 23;  // bytes; these two fill a slot of 64
  static constexpr size_t kMaxTokens = 7;

  struct Key {
    std::array<uint64_t, 3> words{};  // the bytes, and in the top byte how many
  };
  struct Slot {
    Key key;
    uint8_t count = 0;
    std::array<uint8_t, kMaxTokens> ends{};  // of each token in the word; it begins where the one before ends
    std::array<TokenId, kMaxTokens> ids{};
  };

  // The slot of a word of 1 to kMaxWord bytes; holds it where slot.key equals the key.
  static Key MakeKey(std::string_view word) {
    const char* p = word.data();
    const size_t n = word.size();
    Key key;
    if (n >= 16) {
      key.words = {Load<uint64_t>(p), Load<uint64_t>(p + 8), LoadFew(p + 16, n - 16)};
    } else if (n >= 8) {
      key.words = {Load<uint64_t>(p), LoadFew(p + 8, n - 8), 0};
    } else {
      key.words = {LoadFew(p, n), 0, 0};
    }
    key.words[2] |= uint64_t{n} << 56;
    return key;
  }

  Slot& SlotOf(const Key& key) {
    if (slots_.empty()) slots_.resize(kSlots);
    const uint64_t hash = MixHash(key.words[0] ^ seed_, key.words[1] ^ 0x9E3779B97F4A7C15) ^
                          MixHash(key.words[2] ^ seed_, 0xD6E8FEB86659FD93);
    return slots_[(hash ^ hash >> 32) & (kSlots - 1)];
  }

  static bool Equal(const Key& a, const Key& b) {
    return ((a.words[0] ^ b.words[0]) | (a.words[1] ^ b.words[1]) | (a.words[2] ^ b.words[2])) == 0;
  }

  // Takes the tokens of the word, where they fit.
  static void Fill(Slot& slot, const Key& key, std::span<const Symbol> tokens) {
    if (tokens.size() > kMaxTokens) return;
    uint32_t begin = 0;
    for (const Symbol& token : tokens) {
      if (token.begin != begin) return;
      begin = token.end;
    }
    slot.key = key;
    slot.count = static_cast<uint8_t>(tokens.size());
    for (size_t i = 0; i < tokens.size(); i++) {
      slot.ids[i] = tokens[i].id;
      slot.ends[i] = static_cast<uint8_t>(tokens[i].end);
    }
  }

 private:
  static constexpr size_t kSlots = size_t{1} << 15;

  template <class T>
  static uint64_t Load(const char* p) {
    T value;
    std::memcpy(&value, p, sizeof value);
    return value;
  }
  // Up to 7 bytes, in a way that differs for different bytes, not in their order.
  static uint64_t LoadFew(const char* p, size_t n) {
    if (n >= 4) return Load<uint32_t>(p) | Load<uint32_t>(p + n - 4) << (8 * (n - 4));
    if (n == 0) return 0;
    return Load<uint8_t>(p) | Load<uint8_t>(p + n / 2) << 8 | Load<uint8_t>(p + n - 1) << 16;
  }

  uint64_t seed_ = HashSeed();
  std::vector<Slot> slots_;
};

}  // namespace bothy
